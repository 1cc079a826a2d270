// The command line that does the same as the view shows: for a terminal, a script or a colleague.

/** `reprise VERB … --repo LOCATION` with every argument quoted for a POSIX shell where it has to be. */
export function commandLine(location: string, args: readonly string[]): string {
  const [verb = "", ...rest] = args;
  return commandLineWords(["reprise", verb, ...rest, "--repo", location]);
}

export function commandLineWords(words: readonly string[]): string {
  return words.map(quoted).join(" ");
}

/** For a POSIX shell; as it is where nothing in it means something. */
export function quoted(argument: string): string {
  return /^[A-Za-z0-9_@%+=:,./~-]+$/.test(argument) && !argument.startsWith("~")
    ? argument
    : `'${argument.replaceAll("'", "'\\''")}'`;
}
