import type { Action, Ui } from './state.js';

/** What a key came to: how the view stands now, and what is to be done. */
export interface Step {
  readonly ui: Ui;
  readonly action: Action;
}

export const stay = (ui: Ui): Step => ({ ui, action: { kind: 'none' } });
export const browse = (ui: Ui, notice?: Ui['notice']): Ui => ({ ...ui, mode: { kind: 'browsing' }, notice });
