/** README.md of the evidence branch, for whoever finds it on a web page. Every entry of the log names its digest. */
export const BRANCH_README = `# Evidence of backups

Written by reprise; nobody edits it by hand. It holds no backups and no secrets: signed statements about which snapshots of which
machines there are, and about restore tests of them. A gate reads it to decide whether a change may go on.

| file | what it is |
| --- | --- |
| \`log/NNNNNNNN.json\` | one entry for each publication: what came, what went, and the SHA-256 of the entry before. Signed |
| \`statements/AA/SHA256.json\` | one in-toto statement in a DSSE envelope, signed; its name is the SHA-256 of the file |

To check all of it, with the public key of whoever publishes:

    reprise evidence log --key signing-key.pub

Without reprise: \`sha256sum log/00000007.json\` is what \`previous\` in \`log/00000008.json\` says
(\`jq -r .payload log/00000008.json | base64 -d | jq .predicate\`), and so on down to the first one; the signature of the newest entry covers them
all. Every statement's file hashes to its own name.

Protect this branch: nobody may force-push to it or delete it, and only the jobs that publish may write to it.
`;
