// Which jobs Back Up Now offers, by what is known of the policies of the workspace.

import assert from "node:assert/strict";
import { importWithEditor } from "../support/handedOutEditor.js";
import { PlainEmitter } from "../support/plainEmitter.js";

type Imported = typeof import("../../../extension/commands/backupCommands.js");

describe("backing up now", () => {
  const configured = { name: "srv", location: "/srv/" };
  const nothing = { sound: false, repositories: [], machines: [], jobs: [] };
  const policy = (job: string, machine: string, location = "/srv") => ({
    sound: true,
    repositories: [{ name: "main", location }],
    machines: [{ machine }],
    jobs: [
      { name: job, command: "backup", repository: "main", machines: [] },
      { name: "prune", command: "prune", repository: "main", machines: [] },
    ],
  });
  const reading = (path: string, data: object, lastSound?: object) => ({
    ...{ kind: "policy", uri: { scheme: "file", fsPath: path }, data, lastSound },
  });
  let readings: object[] = [];
  let offered: string[][] = [];
  let byHand = 0;
  const warnings: string[] = [];
  let commands: InstanceType<Imported["BackupCommands"]>;

  before(async () => {
    const editor = {
      ...{ EventEmitter: PlainEmitter, FileSystemError: class {}, Uri: class {}, env: { language: "en" } },
      ...{ ProgressLocation: {}, TreeItem: class {}, workspace: { isTrusted: true } },
      l10n: {
        t: (text: string, ...values: unknown[]) => text.replaceAll(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
      },
      window: {
        showQuickPick: async (items: { label: string; description: string; detail: string }[]) => {
          offered.push(items.map(({ label, description, detail }) => [label, description, detail].join(" ")));
        },
        showOpenDialog: async () => void byHand++,
      },
    };
    const { BackupCommands } = await importWithEditor<Imported>("commands/backupCommands.js", editor);
    const parts = { policies: { policies: async () => readings } };
    commands = new BackupCommands(parts as never, { warn: (text: string) => void warnings.push(text) } as never);
  });
  beforeEach(() => {
    [offered, byHand, warnings.length] = [[], 0, 0];
  });
  const backUpNow = () => commands.backUpNow({ kind: "repository", configured } as never);

  it("offers the jobs of each policy that lead into the repository, in any spelling of its place", async () => {
    readings = [
      reading("/w/reprise.yml", policy("nightly", "vm/a")),
      reading("/w/b/reprise.yml", policy("other", "vm/b", "/elsewhere")),
      reading("/w/c/reprise.yml", policy("weekly", "vm/c", "file:///srv")),
    ];
    await backUpNow();
    assert.deepEqual(offered, [
      ["vm/a job nightly /w/reprise.yml", "vm/c job weekly /w/c/reprise.yml", "Choose disks or folders…  "],
    ]);
    assert.deepEqual(warnings, []);
  });

  it("goes on beside a policy that cannot be read, also by hand", async () => {
    readings = [
      reading("/w/broken/reprise.yml", nothing),
      reading("/w/typing/reprise.yml", nothing, policy("nightly", "vm/a")),
    ];
    await backUpNow();
    assert.deepEqual(offered[0]?.[0], "vm/a job nightly /w/typing/reprise.yml");
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /\/w\/broken\/reprise\.yml/);
    readings = readings.slice(0, 1);
    await backUpNow();
    assert.equal(byHand, 1);
  });
});
