/** tmux expands #(…), #{…} and strftime's % in the argument of pipe-pane: doubled, they are themselves. */
export const formatLiteral = (text: string): string => text.replaceAll('#', '##').replaceAll('%', '%%');

/** One word for /bin/sh, whatever it holds. */
export const shellQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
