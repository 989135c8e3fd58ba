set -e
snakepit note "a note"
echo hello
snakepit done "it said hello"
