// Stands for your dev server. It listens on a socket file, so that two copies of this example do not meet.
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';

rmSync('web.sock', { force: true });
createServer((_question, answer) => answer.end('up\n')).listen('web.sock');
