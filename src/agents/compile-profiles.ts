import { renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COMPILED, compileProfiles } from './built-in.js';

/* Run by the build. In its place by one rename: whatever runs meanwhile reads the old one or the new one. */

const file = fileURLToPath(COMPILED);
writeFileSync(`${file}.${process.pid}`, compileProfiles());
renameSync(`${file}.${process.pid}`, file);
