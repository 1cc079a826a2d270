// The command line that does the same as the view shows: for a terminal, a script or a colleague.

/** `reprise --repo … VERB …` with every argument quoted for a POSIX shell where it has to be. */
export function commandLine(location: string, args: readonly string[]): string {
  const [verb = "", ...rest] = args;
  return ["reprise", verb, ...rest, "--repo", location].map(quoted).join(" ");
}

function quoted(argument: string): string {
  return /^[A-Za-z0-9_@%+=:,./~-]+$/.test(argument) && !argument.startsWith("~")
    ? argument
    : `'${argument.replaceAll("'", "'\\''")}'`;
}
