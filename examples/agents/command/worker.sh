# Stands for a program of yours: it is given the task's file, works in the current directory, and prints its result.
grep -q haiku "$1" || { echo "I can only write haikus" >&2; exit 1; }
printf '%s\n' 'One tool, any tool' 'takes the paper from the line' 'and puts its work down' > haiku.txt
echo 'I wrote haiku.txt.'
