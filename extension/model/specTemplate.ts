// A first restore test for a machine, as a file to be filled in.

/** `prod:vm/web1` → `prod-web1.restore-test.yaml`. */
export function specFileName(machine: string): string {
  return `${specName(machine)}.restore-test.yaml`;
}

export function specName(machine: string): string {
  const name = machine.replace(/(^|:)(vm|ct|host)\//g, "$1").replaceAll(/[^A-Za-z0-9._-]+/g, "-");
  return name.replace(/^[-.]+/, "") || "machine";
}

/** Machines that are not started are read. */
export function specTemplate(machine: string): string {
  const starts = /(^|:)vm\/[^/]+$/.test(machine);
  const lines = [
    "apiVersion: reprise/v1",
    "kind: RestoreTest",
    "metadata:",
    `  name: ${specName(machine)}`,
    "spec:",
    `  machine: ${quoted(machine)}`,
    "  snapshot: latest",
    `  level: ${starts ? "boots" : "readable"}   # intact, readable, boots, serves`,
    "  # checks:",
    starts ? "  #   - {type: http, path: /health, matches: ok}" : "  #   - {type: file, path: /etc/hostname}",
    "",
  ];
  return lines.join("\n");
}

function quoted(machine: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/.test(machine) ? machine : JSON.stringify(machine);
}
