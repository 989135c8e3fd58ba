set -e
echo no; exit 3
