// A hundred real backups of a disk that changes a little before each, into one group: for the history of a file that does
// not change.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBackend, openRepository, systemEnvironment } from "../../core/index.js";
import { backUpDisk } from "./backUpDisk.js";
import { addFile } from "./virtualDisk.js";

export interface ManySnapshots {
  repository: string;
  passphrase: string;
  group: string;
  count: number;
}

const onWarning = ({ message }: { message: string }) => console.error(message);

/** The disk is changed. */
export async function makeSnapshots(disk: string, scratch: string, wanted: ManySnapshots): Promise<void> {
  const { passphrase, group, count } = wanted;
  const repository = await openRepository(await openBackend(wanted.repository), {
    secret: async () => ({ passphrase }),
    environment: systemEnvironment("0.0.0"),
    cacheFolder: null,
    onWarning,
  });
  try {
    for (let number = 0; number < count; number++) {
      const source = join(scratch, "day.txt");
      await writeFile(source, `day ${number}\n`.repeat(1000));
      await addFile(disk, source, `/var/log/day-${number}.log`);
      await backUpDisk(repository, disk, group, "disk");
    }
  } finally {
    await repository.close();
  }
}
