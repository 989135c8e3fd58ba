/** Every file that is made from the code: its path in the repository, and its text. Reads dist/. */
export async function generated() {
  const { manPage } = await import('../dist/cli/man-page.js');
  const { buildProgram } = await import('../dist/cli/program.js');
  return [['man/snakepit.1', manPage(buildProgram())]];
}
