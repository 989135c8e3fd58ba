echo up; sleep 600
