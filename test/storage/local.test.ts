import { openLocalBackend } from "../../core/storage/localBackend.js";
import { describeBackend } from "../conformance/backend.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";

describeBackend("local folder", async () => {
  const folder = await makeTemporaryFolder("local");
  return { backend: await openLocalBackend(folder.path), cleanup: folder.remove };
});
