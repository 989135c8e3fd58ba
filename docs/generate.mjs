// Writes every page that is made from the code, from dist/: npm run generate.
import { writeFileSync } from 'node:fs';
import { generated } from './generated.mjs';

for (const [file, text] of await generated()) writeFileSync(new URL(`../${file}`, import.meta.url), text);
