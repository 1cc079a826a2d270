import assert from "node:assert/strict";
import { homedir } from "node:os";
import { isFullLocation, isSameLocation } from "../../../extension/model/location.js";

describe("locations of repositories", () => {
  it("are the same in every spelling of one place", () => {
    const same = [
      "/srv/x",
      "/srv/x/",
      "file:///srv/x",
      "file:///srv/x/",
      "/srv//x",
      "/srv/./x",
      "file:/srv/x",
      "/srv/x/.",
    ];
    for (const spelled of same) assert.ok(isSameLocation("/srv/x", spelled), spelled);
    assert.ok(isSameLocation("file:///srv/a%20b", "/srv/a b"));
    assert.ok(isSameLocation("~/x", `${homedir()}/x`));
    assert.ok(isSameLocation("s3://bucket/x/", "s3:bucket/x"));
    assert.ok(isSameLocation("sftp://u@host/x", "sftp://u@host/x/"));
  });

  it("are others where they may be others", () => {
    for (const other of [
      "/srv/X",
      "/srv/x/y",
      "/srv",
      "srv/x",
      "/srv/y/../x",
      "sftp://host/srv/x",
      "file://host/srv/x",
    ])
      assert.ok(!isSameLocation("/srv/x", other), other);
    assert.ok(!isSameLocation("s3:https://host/bucket/x", "s3:http://host/bucket/x"));
    assert.ok(!isSameLocation("/a%20b", "/a b"));
  });

  it("say where they are, or do not", () => {
    for (const full of ["/srv", "~", "~/x", "file:///x", "s3:bucket/x", "sftp://h/x", "C:\\x", "\\\\server\\x"])
      assert.ok(isFullLocation(full), full);
    for (const relative of ["x", "./x", "../x", "backups/x", "~user/x", ".", "C:x"])
      assert.ok(!isFullLocation(relative), relative);
  });
});
