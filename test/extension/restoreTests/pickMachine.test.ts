import assert from "node:assert/strict";
import type { ErrorData } from "../../../extension/service/protocol.js";
import { importWithEditor } from "../support/handedOutEditor.js";
import { PlainEmitter } from "../support/plainEmitter.js";

type Imported = typeof import("../../../extension/restoreTests/pickMachine.js") & {
  ServiceError: new (data: ErrorData) => Error;
};
interface Row {
  label: string;
  description: string;
}

describe("the machine of a restore test", () => {
  const configured = (name: string) => ({ name, location: `/srv/${name}` });
  let pickMachine: Imported["pickMachine"];
  let ServiceError: Imported["ServiceError"];
  let shown: string[][];
  /** One of each list that is shown. */
  let picks: (string | undefined)[];
  let told: string[];
  let unlock: () => void;
  const states = new Map<string, () => unknown[]>();
  const open = new Set<string>();
  const source = {
    statesOf: async ({ name }: { name: string }) => (states.get(name) ?? (() => []))() as never,
    isOpen: (location: string) => open.has(location),
  };

  before(async () => {
    const editor = {
      ...{ EventEmitter: PlainEmitter, FileSystemError: class {} },
      l10n: { t: (text: string) => text },
      commands: { executeCommand: async () => unlock() },
      window: {
        showQuickPick: async (given: Promise<Row[]>) => {
          const rows = await given;
          shown.push(rows.map(({ label, description }) => `${label} · ${description}`));
          const wanted = picks.shift();
          return rows.find(({ label }) => label === wanted);
        },
        showInformationMessage: async (text: string) => void told.push(text),
      },
    };
    const path = "restoreTests/pickMachine.js";
    ({ pickMachine, ServiceError } = await importWithEditor<Imported>(path, editor, "service/client.js"));
  });
  beforeEach(() => {
    [shown, picks, told] = [[], [], []];
    unlock = () => {};
    open.clear();
    states.clear();
  });
  const fails = (message: string) => () => {
    throw new Error(message);
  };
  const locked = () => {
    throw new ServiceError({ name: "ServiceError", message: "no passphrase", code: "PASSPHRASE_MISSING" });
  };

  it("is of any repository that can be read; one that cannot says why", async () => {
    states.set("b", () => [{ machine: "vm/a" }]);
    states.set("a", fails("the storage is not there"));
    picks = ["vm/a"];
    const picked = await pickMachine([configured("a"), configured("b")], source);
    assert.deepEqual(shown, [["vm/a · b", "$(error) a · the storage is not there"]]);
    assert.deepEqual([picked?.state.machine, picked?.configured.name], ["vm/a", "b"]);
  });

  it("is asked for also when no repository can be read, and the reason is an error", async () => {
    states.set("a", fails("the storage is not there"));
    picks = ["$(error) a"];
    await assert.rejects(pickMachine([configured("a")], source), /storage is not there/);
    assert.equal(await pickMachine([], source), undefined);
    assert.deepEqual(told, ["Add the repository to the Backups view first."]);
  });

  it("is asked for again after the passphrase was typed, and not when it was not", async () => {
    states.set("a", locked);
    picks = ["$(key) a"];
    assert.equal(await pickMachine([configured("a")], source), undefined);
    unlock = () => {
      open.add("/srv/a");
      states.set("a", () => [{ machine: "vm/a" }]);
    };
    picks = ["$(key) a", "vm/a"];
    assert.equal((await pickMachine([configured("a")], source))?.state.machine, "vm/a");
    assert.deepEqual(shown, [["$(key) a · Enter the passphrase…"], ["$(key) a · Enter the passphrase…"], ["vm/a · a"]]);
  });
});
