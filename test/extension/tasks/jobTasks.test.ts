// What tasks.json says, as far as it is run: with an editor that only hands out tasks, and a program in place of the command line
// that tells how it was started.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskTerminal } from "../../../extension/tasks/taskTerminal.js";
import { importWithEditor } from "../support/handedOutEditor.js";
import { PlainEmitter } from "../support/plainEmitter.js";

interface MadeTask {
  definition: Record<string, unknown>;
  name: string;
  detail: string;
  execution: { run: (resolved: unknown) => Promise<TaskTerminal> };
}

const TELLS =
  "console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), secret: process.env.MAIN }))";

interface PlainPlace {
  scheme: string;
  path: string;
  fsPath: string;
  with(change: { path: string }): PlainPlace;
}

type Imported = typeof import("../../../extension/tasks/jobTasks.js");

describe("tasks of tasks.json", () => {
  let folder: string;
  let scope: { uri: PlainPlace; name: string };
  let tasks: InstanceType<Imported["JobTasks"]>;
  /** As the settings spell it. */
  let configured = "/srv/main";
  let jobs: unknown[] = [];
  const uri = (path: string): PlainPlace => ({
    ...{ scheme: "file", path, fsPath: path },
    with: (change: { path: string }) => uri(change.path),
  });

  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "reprise-tasks-")));
    scope = { uri: uri(folder), name: "work" };
    const program = join(folder, "told.mjs");
    await writeFile(program, TELLS);
    const editor = {
      CustomExecution: class {
        readonly run: unknown;
        constructor(run: unknown) {
          this.run = run;
        }
      },
      Task: class {
        readonly definition: unknown;
        readonly name: string;
        readonly execution: unknown;
        constructor(definition: unknown, _scope: unknown, name: string, _source: string, execution: unknown) {
          [this.definition, this.name, this.execution] = [definition, name, execution];
        }
      },
      EventEmitter: PlainEmitter,
      ...{ TaskRevealKind: { Always: 1 }, TaskGroup: {}, TaskScope: { Workspace: 2 }, env: { language: "fr" } },
      ...{ FileSystemError: class {}, ConfigurationTarget: { Global: 1 } },
      l10n: {
        t: (text: string, ...values: unknown[]) => text.replaceAll(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
      },
      workspace: {
        isTrusted: true,
        workspaceFolders: [scope],
        getWorkspaceFolder: () => scope,
        getConfiguration: () => ({
          inspect: (name: string) =>
            name === "reprise.repositories" ? { globalValue: [{ location: configured }] } : undefined,
        }),
      },
    };
    const data = {
      sound: true,
      repositories: [{ name: "main", location: "/srv/main", passphraseVariable: "MAIN", keeperKeyVariable: null }],
    };
    const policies = {
      uris: async () => [uri(join(folder, "reprise.yml"))],
      read: async () => ({ kind: "policy", data: { ...data, jobs } }),
    };
    const passphrases = { get: async () => "of the editor", keeperKey: async () => undefined };
    const { JobTasks } = await importWithEditor<Imported>("tasks/jobTasks.js", editor);
    tasks = new JobTasks({ policies, passphrases, bundled: uri(program) } as never);
  });
  after(async () => await rm(folder, { recursive: true }));

  const resolved = (definition: Record<string, unknown>) =>
    tasks.resolveTask({ definition: { type: "reprise", ...definition }, scope } as never) as unknown as MadeTask;

  /** What was printed. */
  async function run({ execution, definition }: MadeTask): Promise<string> {
    const terminal = await execution.run(definition);
    let text = "";
    terminal.onDidWrite((piece) => {
      text += piece;
    });
    const ended = new Promise((resolve) => terminal.onDidClose(resolve));
    terminal.open();
    await ended;
    return text;
  }
  async function started(definition: Record<string, unknown>) {
    const text = await run(resolved(definition));
    const line = text.split("\r\n").find((each) => each.startsWith("{"));
    assert.ok(line !== undefined, text);
    return JSON.parse(line) as { args: string[]; cwd: string; secret?: string };
  }

  it("are run as they are written", async () => {
    const config = join(folder, "reprise.yml");
    const { args, cwd } = await started({ job: "prune", machine: "vm/web1", dryRun: true });
    assert.deepEqual(args, ["run", "prune", "--config", config, "--machine", "vm/web1", "--dry-run"]);
    assert.equal(cwd, folder);
    assert.deepEqual((await started({ job: "prune", dryRun: false })).args, ["run", "prune", "--config", config]);
  });

  it("start nothing when a wish is mistyped, and say which", async () => {
    for (const dryRun of ["true", 1, 0, null, ["yes"]])
      assert.match(
        await run(resolved({ job: "prune", dryRun })),
        /^dryRun of this task must be true or false, and is /,
      );
    for (const name of ["job", "config", "machine"])
      for (const value of ["", 3, null, {}])
        assert.match(
          await run(resolved({ job: "prune", [name]: value })),
          new RegExp(`^${name} of this task must be a text`),
        );
  });

  it("get a passphrase that is kept under another spelling of the place", async () => {
    for (const spelled of ["/srv/main", "/srv/main/", "file:///srv/main", "/srv//main"]) {
      configured = spelled;
      assert.equal((await started({ job: "prune" })).secret, "of the editor", spelled);
    }
    configured = "/srv/other";
    assert.equal((await started({ job: "prune" })).secret, undefined);
  });

  it("are started beside the configuration, and where it has no folder, in that of the workspace", async () => {
    await mkdir(join(folder, "sub"));
    assert.equal((await started({ job: "prune", config: "sub/reprise.yml" })).cwd, join(folder, "sub"));
    const { cwd, args } = await started({ config: "none/reprise.yml" });
    assert.deepEqual([cwd, args], [folder, ["config", "check", join(folder, "none", "reprise.yml")]]);
  });

  it("tell when a job runs in the language of the editor", async () => {
    const schedule = { text: "Mon 03:00", words: "every Monday at 03:00", timeZone: "UTC", nextRunsMs: [] };
    jobs = [{ name: "nightly", command: "backup", repository: "main", schedule: { ...schedule, words: "every hour" } }];
    const [nightly] = (await tasks.provideTasks()) as unknown as MadeTask[];
    assert.equal(nightly?.detail, "reprise run nightly · backup · every hour");
    jobs = [
      { name: "nightly", command: "backup", repository: "main", schedule: { ...schedule, words: "at some time" } },
    ];
    const [other] = (await tasks.provideTasks()) as unknown as MadeTask[];
    assert.equal(other?.detail, "reprise run nightly · backup · Mon 03:00");
  });
});
