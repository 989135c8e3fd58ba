/** The layers, downward only; see ARCHITECTURE.md. */
const rooms = ['cli', 'pit', 'pings', 'residents', 'snake', 'workflow', 'watchdog', 'cleanup', 'workspace', 'recurring', 'runs', 'queue', 'tmux', 'ledger', 'agents', 'git', 'protocol', 'config', 'events', 'lib'];
const may = {
  cli: rooms,
  pit: ['pit', 'pings', 'residents', 'watchdog', 'cleanup', 'recurring', 'runs', 'queue', 'tmux', 'ledger', 'agents', 'workspace', 'git', 'protocol', 'config', 'events', 'lib'],
  pings: ['pings', 'residents', 'watchdog', 'runs', 'queue', 'tmux', 'ledger', 'agents', 'git', 'protocol', 'config', 'events', 'lib'],
  residents: ['residents', 'watchdog', 'runs', 'tmux', 'ledger', 'agents', 'protocol', 'config', 'events', 'lib'],
  workflow: ['workflow', 'protocol', 'config', 'lib'],
  snake: ['snake', 'workflow', 'runs', 'queue', 'tmux', 'ledger', 'agents', 'workspace', 'git', 'protocol', 'config', 'events', 'lib'],
  watchdog: ['watchdog', 'runs', 'tmux', 'ledger', 'agents', 'protocol', 'config', 'events', 'lib'],
  cleanup: ['cleanup', 'runs', 'queue', 'ledger', 'agents', 'workspace', 'git', 'protocol', 'config', 'events', 'lib'],
  workspace: ['workspace', 'runs', 'git', 'protocol', 'config', 'events', 'lib'],
  recurring: ['recurring', 'queue', 'protocol', 'config', 'events', 'lib'],
  runs: ['runs', 'ledger', 'agents', 'protocol', 'config', 'events', 'lib'],
  queue: ['queue', 'protocol', 'config', 'events', 'lib'],
  tmux: ['tmux', 'protocol', 'lib'],
  ledger: ['ledger', 'protocol', 'config', 'lib'],
  agents: ['agents', 'protocol', 'config', 'lib'],
  git: ['git', 'lib'],
  protocol: ['protocol', 'lib'],
  config: ['config', 'lib'],
  events: ['events', 'lib'],
  lib: ['lib'],
};
const one = (name, module, path) => ({ name: `only-${name}-imports-${module}`, severity: 'error', from: { pathNot: path }, to: { path: `node_modules/${module}/` } });
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    ...Object.entries(may).map(([room, allowed]) => ({
      name: `${room}-imports-downward`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${allowed.join('|')})/` },
    })),
    one('events', 'winston', '^src/events/'),
    one('queue', 'chokidar', '^src/queue/'),
    one('recurring', 'croner', '^src/recurring/'),
    one('lib', 'nanoid', '^src/lib/'),
    one('lib', 'execa', '^src/lib/'),
    one('cli', 'commander', '^src/cli/'),
    one('cli', 'string-width', '^src/cli/top/'),
    one('config-agents-and-workflow', 'zod', '^src/(config|agents|workflow)/'),
    { name: 'only-protocol-config-agents-and-workflow-import-yaml', severity: 'error', from: { pathNot: '^src/(protocol|config|agents|workflow)/' }, to: { path: 'node_modules/yaml/' } },
    { name: 'pure-files-know-no-node', severity: 'error', from: { path: '^src/(snake/(decide|between|state)|workflow/(decide|check|verdict|feedback|ruling)|cleanup/(decide|state)|residents/(decide|state)|workspace/(choose|judge-changes|state)|lib/(healing|cadence)|recurring/(decide|state|schedule|local-time|template)|pit/(supervise|state)|protocol/(judge|names|task|front-matter|parse-task|records|workflow)|queue/(dependencies|ground|settled|ready-listing)|agents/deliver/(decide|note|state|text)|agents/breaker/(decide|signs|state)|agents/dialog/(decide|state|rows)|watchdog/asking|pings/(decide|match|rules|state|template))\\.ts$' }, to: { dependencyTypes: ['core'] } },
    { name: 'pure-files-of-the-ledger-know-no-node', severity: 'error', from: { path: '^src/ledger/(decide|entry|price|sum)\\.ts$' }, to: { dependencyTypes: ['core'] } },
    { name: 'pure-files-of-top-know-no-node', severity: 'error', from: { path: '^src/cli/top/(state|step|keys|typing|choices|input|rows|layout|cells|columns|figures|palette|frame[a-z-]*)\\.ts$' }, to: { dependencyTypes: ['core'] } },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' } },
};
