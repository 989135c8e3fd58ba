import type { Reporter, TestModule } from 'vitest/node';

/**
 * Names every test that failed and passed when it was tried again, and how it had failed: such a test is no failure, and it is not
 * hidden either. Only tests of real processes are tried again (vitest.config.ts).
 */
export default class SecondGo implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const test of module.children.allTests('passed')) {
        if (test.diagnostic()?.flaky !== true) continue;
        const why = test.result().errors?.[0]?.message.split('\n')[0] ?? 'no error was recorded';
        process.stdout.write(`passed only at the second go: ${module.relativeModuleId} > ${test.fullName}\n  at the first: ${why}\n`);
      }
    }
  }
}
