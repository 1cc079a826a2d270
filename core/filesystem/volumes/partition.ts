// What a partition table says, whatever its format.

export interface Partition {
  /** As the kernel numbers it: `sda3` is 3. */
  number: number;
  offsetBytes: number;
  sizeBytes: number;
  /** For people: "Linux filesystem", "EFI system", "type 0x42". */
  type: string;
  /** Of a GPT; empty without. */
  label: string;
  /** Of a GPT, lower case; empty without. */
  uuid: string;
  bootable: boolean;
}

export interface PartitionTable {
  kind: "gpt" | "mbr";
  /** In order of their numbers. Each lies inside the disk. */
  partitions: readonly Partition[];
  /** For people: "primary GPT damaged: backup used". */
  remarks: readonly string[];
}
