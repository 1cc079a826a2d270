// The hardware that a backed-up machine is started with: what its guest expects to find, not what the source host had.

export const DISK_BUSES = ["virtio", "scsi", "sata", "ide", "nvme"] as const;
export const SCSI_CONTROLLERS = ["virtio-scsi-pci", "lsi53c895a", "megasas", "pvscsi"] as const;
export const NIC_MODELS = ["virtio", "e1000", "e1000e", "rtl8139", "vmxnet3"] as const;
export const ACCELERATORS = ["auto", "kvm", "tcg"] as const;

export type DiskBus = (typeof DISK_BUSES)[number];
export type ScsiController = (typeof SCSI_CONTROLLERS)[number];
export type NicModel = (typeof NIC_MODELS)[number];
export type AcceleratorChoice = (typeof ACCELERATORS)[number];

export interface MachineShape {
  memoryMiB: number;
  cpus: number;
  /** `pc` and `q35`, or a versioned type (`pc-q35-7.2`); one that this QEMU lacks becomes its plain family, with a note. */
  machineType: string;
  firmware: FirmwareShape;
  tpm: boolean;
  clock: "utc" | "localtime";
  /** In the order in which the firmware tries them. */
  disks: readonly DiskShape[];
  nics: readonly NicShape[];
  /** SMBIOS uuid of the source; null: QEMU's own. */
  uuid: string | null;
}

export interface FirmwareShape {
  kind: "bios" | "uefi";
  secureBoot: boolean;
  /** Archive of the snapshot that holds the saved UEFI variables; null: fresh ones. */
  variablesArchive: string | null;
}

export interface DiskShape {
  /** Name of the archive. */
  name: string;
  bus: DiskBus;
  /** Used with bus scsi. */
  controller: ScsiController;
}

export interface NicShape {
  model: NicModel;
  /** As in the source, so that the guest's names stay; null: a made-up one. Never leaves the isolated network. */
  mac: string | null;
}
