// One backup of one raw disk through the core, as the benches make them.

import { backUp, openSource, type Repository } from "../../core/index.js";

const onWarning = ({ message }: { message: string }) => console.error(message);

export async function backUpDisk(repository: Repository, disk: string, group: string, name: string): Promise<void> {
  const { source, location, close } = await openSource(disk, {});
  const image = { kind: "image", name, format: "raw", source, location } as const;
  const about = { namespace: "", notes: "", tags: [], protected: false, files: [], dryRun: false, lanes: 0 };
  const codec = { codec: "zstd", level: 3 } as const;
  await backUp(repository, { group, disks: [image], codec, ...about }, { onWarning }).finally(close);
}
