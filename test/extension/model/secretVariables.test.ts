import assert from "node:assert/strict";
import { secretVariables } from "../../../extension/model/secretVariables.js";

const repository = (name: string, passphraseVariable: string | null, keeperKeyVariable: string | null = null) => ({
  ...{ name, location: `/srv/${name}`, passphraseVariable, keeperKeyVariable, line: 1 },
});
const kept = (name: string, passphrase?: string, keeperKey?: string) => ({
  ...{ location: `/srv/${name}`, passphrase, keeperKey },
});

describe("secrets of a job", () => {
  it("have the names that the configuration gives to them", () => {
    const repositories = [
      repository("a", "A_PASS", "A_KEY"),
      repository("b", "REPRISE_PASSPHRASE"),
      repository("c", null),
    ];
    const secrets = [kept("a", "one", "key"), kept("b", "two"), kept("c", "three"), kept("other", "four")];
    assert.deepEqual(secretVariables(repositories, secrets, {}), {
      A_PASS: "one",
      A_KEY: "key",
      REPRISE_PASSPHRASE: "two",
    });
  });

  it("are found under every spelling of the place, and in any entry of it that has one", () => {
    const spelled = (location: string, passphrase?: string) => ({ location, passphrase, keeperKey: undefined });
    for (const location of ["/srv/a/", "file:///srv/a", "/srv//a"])
      assert.deepEqual(secretVariables([repository("a", "A")], [spelled(location, "one")], {}), { A: "one" });
    const twice = [spelled("/srv/a/"), spelled("file:///srv/a", "one")];
    assert.deepEqual(secretVariables([repository("a", "A")], twice, {}), { A: "one" });
  });

  it("leave alone what is set already, and let the first repository decide about a name", () => {
    const repositories = [repository("a", "SAME"), repository("b", "SAME"), repository("c", "SET")];
    const secrets = [kept("a", "one"), kept("b", "two"), kept("c", "three")];
    assert.deepEqual(secretVariables(repositories, secrets, { SET: "already" }), { SAME: "one" });
  });

  it("never become what programs are started by", () => {
    const names = [
      "NODE_OPTIONS",
      "LD_PRELOAD",
      "PATH",
      "HOME",
      "GIT_SSH_COMMAND",
      "lower",
      "__proto__",
      "A B",
      "ELECTRON_RUN_AS_NODE",
    ];
    const repositories = names.map((name, i) => repository(String(i), name));
    const secrets = names.map((_, i) => kept(String(i), "secret"));
    assert.deepEqual(secretVariables(repositories, secrets, {}), {});
  });
});
