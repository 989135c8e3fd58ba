// What the built classifier makes of the labelled screens: right of total by program, every miss, and the two errors that must not be.
import { screenPart } from '../../dist/agents/profile.js';
import { classifyScreen } from '../../dist/agents/screen.js';
import { figures, screenProfiles } from './figures.mjs';

const result = figures(classifyScreen, screenProfiles(screenPart));
for (const [program, { right, total, ruled }] of Object.entries(result.programs)) console.log(`${program.padEnd(10)} ${String(right).padStart(3)} / ${total}${ruled ? '' : '   no screen rules: must be unknown or dead'}`);
for (const { name, labels, state } of result.wrong) console.log(`wrong: ${name} is ${labels.join(' or ')}, called ${state.kind} by ${state.rule}: ${state.evidence}`);
console.log(`together   ${result.right} / ${result.total}   ${((100 * result.right) / result.total).toFixed(1)} %`);
console.log(`works or is blocked, called idle: ${result.quietly.length}; called limited and is not: ${result.limited.length}`);
process.exitCode = result.quietly.length + result.limited.length === 0 && result.right / result.total >= 0.97 ? 0 : 1;
