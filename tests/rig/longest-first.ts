import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files of minutes, longest first. Nothing depends on it but how long a run takes: one that is begun last runs alone at the end. */
const LONGEST: readonly string[] = [
  'agents/interactive-failures', 'agents/deliver', 'agents/resume', 'faults/crash-matrix', 'agents/headless', 'faults/chaos', 'integration/needs', 'integration/lifecycle',
  'integration/commands', 'integration/residents', 'agents/stuck', 'agents/nudge', 'sim/sim', 'watchsim/walk',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.includes(`/tests/${name}.`));
      return place === -1 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
