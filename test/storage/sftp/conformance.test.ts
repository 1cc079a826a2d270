// The backend contract over a real sshd, on both transports.

import { rmSync } from "node:fs";
import { openSftpBackend } from "../../../core/storage/sftp/openSftpBackend.js";
import { describeBackend } from "../../conformance/backend.js";
import { sshServer } from "../../support/sshServer.js";

for (const transport of ["ssh2", "ssh"] as const) {
  describeBackend(`SFTP over ${transport}`, async () => {
    const server = await sshServer();
    const root = server.newRoot();
    return {
      backend: await openSftpBackend(server.location(root, { transport })),
      cleanup: async () => rmSync(root, { recursive: true }),
    };
  });
}
