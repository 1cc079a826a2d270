// What happens on the machines of the story, day by day: a shop's front end, its database and a mail server.

import type { TinyGuestOptions } from "../../fixtures/guests.js";
import { noise } from "../../support/sampleBytes.js";
import type { GuestFiles } from "./guestFiles.js";

const KIB = 1024;
export const DAYS = 14;
/** Files in /srv/www/photos on the first day. */
export const PHOTOS = 1200;

export interface StoryMachine {
  group: string;
  namespace: string;
  guest: TinyGuestOptions;
  tags(day: number): string[];
  /** What has changed since the day before. */
  files(day: number): Omit<GuestFiles, "atMs">;
}

export const MACHINES: readonly StoryMachine[] = [
  {
    group: "vm/web1",
    namespace: "",
    guest: { hostname: "web1", seed: "story web1", sizeMib: 384 },
    tags: (day) => (day === 9 ? ["before-upgrade"] : []),
    files: webFiles,
  },
  {
    group: "vm/db1",
    namespace: "",
    guest: { hostname: "db1", seed: "story db1", sizeMib: 256, dataMib: 24 },
    tags: () => [],
    files: (day) => ({ write: { "/var/lib/app/orders.db": noise(500 + day, 3072 * KIB) } }),
  },
  {
    group: "vm/mail",
    namespace: "prod",
    guest: { hostname: "mail", seed: "story mail", sizeMib: 192, dataMib: 8 },
    tags: () => [],
    files: (day) => ({ write: { [`/var/mail/inbox-${day}.mbox`]: noise(900 + day, (day === 11 ? 9000 : 640) * KIB) } }),
  },
];

function webFiles(day: number): Omit<GuestFiles, "atMs"> {
  const write: Record<string, string | Uint8Array> = { [`/var/log/nginx/access-${day}.log`]: accessLog(day) };
  if (day === 0) Object.assign(write, firstDay());
  if (day === 3) write["/etc/hostname"] = "web1-new\n";
  if (day === 6) Object.assign(write, { "/etc/hostname": "web1\n", "/etc/motd": motd("web1", "in service") });
  if (day === 10) write["/etc/nginx/nginx.conf"] = nginxConf({ workers: 2048, bodyMib: 32, gzip: true });
  if (day % 2 === 1) write[`/srv/www/photos/new-${day}.jpg`] = noise(300 + day, 420 * KIB);
  if (day < DAYS - 1) return { write };
  // the worst day of the year
  Object.assign(write, {
    "/etc/nginx/nginx.conf": nginxConf({ workers: 64, bodyMib: 1, gzip: false }),
    "/etc/nginx/sites/shop.conf": site("shop-old.example.org"),
    "/etc/motd": motd("web1", "maintenance by someone in a hurry"),
    "/srv/www/index.html": page("We will be back soon"),
  });
  return { write, remove: ["/etc/nginx/tls/shop.pem", "/srv/www/robots.txt"] };
}

function firstDay(): Record<string, string | Uint8Array> {
  const photos = Array.from({ length: PHOTOS }, (_, i): [string, Uint8Array] => {
    const folder = `album-${String(1 + (i % 12)).padStart(2, "0")}`;
    return [
      `/srv/www/photos/${folder}/${String(i + 1).padStart(4, "0")}.jpg`,
      noise(2000 + i, (48 + (i % 7) * 8) * KIB),
    ];
  });
  return {
    "/etc/hostname": "web1-staging\n",
    "/etc/hosts": "127.0.0.1 localhost\n10.20.0.11 web1\n10.20.0.21 db1\n10.20.0.31 mail\n",
    "/etc/motd": motd("web1", "being set up"),
    "/etc/fstab": "LABEL=root  /      ext4  noatime   0 1\nLABEL=ESP   /boot  vfat  defaults  0 2\n",
    "/etc/nginx/nginx.conf": nginxConf({ workers: 512, bodyMib: 8, gzip: true }),
    "/etc/nginx/sites/shop.conf": site("shop.example.org"),
    "/etc/nginx/tls/shop.pem": "-----BEGIN CERTIFICATE-----\nbm90IGEgcmVhbCBvbmU=\n-----END CERTIFICATE-----\n",
    "/srv/www/index.html": page("Welcome to the shop"),
    "/srv/www/robots.txt": "User-agent: *\nDisallow: /cart\n",
    ...Object.fromEntries(photos),
  };
}

function nginxConf({ workers, bodyMib, gzip }: { workers: number; bodyMib: number; gzip: boolean }): string {
  const compression = gzip
    ? "    gzip                 on;\n    gzip_types           text/css application/javascript;\n"
    : "";
  return `user  www;
worker_processes  auto;

events {
    worker_connections  ${workers};
}

http {
    client_max_body_size ${bodyMib}m;
    keepalive_timeout    65;
${compression}
    access_log           /var/log/nginx/access.log;
    include              sites/*.conf;
}
`;
}

function site(name: string): string {
  return `server {
    listen              443 ssl;
    server_name         ${name};
    ssl_certificate     tls/shop.pem;
    root                /srv/www;

    location /api {
        proxy_pass      http://db1:8080;
    }
}
`;
}

function page(title: string): string {
  return `<!doctype html>\n<html lang="en">\n  <head>\n    <title>${title}</title>\n  </head>\n  <body>\n    <h1>${title}</h1>\n  </body>\n</html>\n`;
}

function motd(host: string, state: string): string {
  return `${host}: front end of the shop, ${state}.\nQuestions: team-web@example.org\n`;
}

function accessLog(day: number): string {
  const pages = ["/", "/photos", "/cart", "/api/orders", "/about"];
  const line = (i: number) => {
    const [hour, minute] = [Math.floor(i / 60) % 24, i % 60].map((part) => String(part).padStart(2, "0"));
    return `10.20.${day}.${(i * 37) % 250} - - [${hour}:${minute}] "GET ${pages[(i * 7 + day) % 5]} HTTP/1.1" 200 ${(i * 7919) % 90_000}\n`;
  };
  return Array.from({ length: 1440 }, (_, i) => line(i)).join("");
}
