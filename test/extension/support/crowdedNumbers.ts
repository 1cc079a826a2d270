// What is on the disk of crowdedDisk.ts; also for tests that run inside the editor.

export const MANY = 2000;
export const DEPTH = 1000;
export const HUGE_BYTES = 5 * 1024 ** 3;
/** Where huge.bin has these 8 bytes; everything else are holes. */
export const HUGE_MARKS: readonly (readonly [number, string])[] = [
  [0, "BEGIN-00"],
  [3 * 1024 ** 3, "MIDDLE-3"],
  [HUGE_BYTES - 8, "THE-END!"],
];

/** Each is a file that holds its own number in this list. */
export const ODD_NAMES: readonly string[] = [
  "rtl\u202egpj.exe",
  "isolate\u2066x\u2069",
  "zero\u200bwidth",
  "line\nbreak",
  "bell\u0007esc\u001b[31m",
  "[click](command:workbench.action.closeWindow)",
  "![image](https:evil.example?x)",
  "$(alert) icon",
  "**bold** _it_ <b>html",
  "<img src=x onerror=alert(1)>",
  "$(touch owned);`id`|&",
  "quote'\"quote",
  "-rf",
  "~",
  "back\\slash",
  "percent%2e%2e%2f",
  "query?part=0-1",
  "hash#fragment",
  "colon:name",
  " ",
  "...",
  "CON",
  "trailing. ",
  "Case",
  "case",
  "caf\u00e9",
  "cafe\u0301",
  "l".repeat(255),
];
