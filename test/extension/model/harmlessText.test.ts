import assert from "node:assert/strict";
import { withoutIcons, withoutLinks } from "../../../extension/model/harmlessText.js";

describe("text of backups in the editor", () => {
  it("makes no links and no icons", () => {
    assert.doesNotMatch(withoutLinks("[click](command:reprise.x) [y](z)"), /\]\(/);
    assert.equal(withoutLinks("a (b) [c]"), "a (b) [c]");
    assert.equal(withoutIcons("$(error) x"), "\\$(error) x");
  });
});
