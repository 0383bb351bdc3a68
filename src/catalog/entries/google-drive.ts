/**
 * Google Drive, by its API (version 3). A file is seen by whoever sees the folder that it is in, so that a
 * change of what is shared, or may be, counts as its publication.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const FILE = "/files/{file}";
const LOOKUP = { current: "/files/{path.file}?fields=id,name,shared&supportsAllDrives=true" };
const PRIVATE = { "current.shared": { only: [false] } };

export const googleDrive: EntrySource = {
  system: "google-drive",
  title: "Google Drive",
  docs: ["https://developers.google.com/workspace/drive/api/reference/rest/v3"],
  hosts: ["www.googleapis.com"],
  base: ["/drive/v3", "/upload/drive/v3", "/resumable/upload/drive/v3"],
  credential: [{ in: "header", name: "authorization", scheme: "Bearer" }],
  unknown: ["publish", "send", "delete", "administer"],
  override: { header: "x-http-method-override" },
  routes: [
    {
      verb: "trash.empty",
      request: "DELETE /files/trash",
      effects: ["delete"],
      summary: "Delete everything in the trash for good",
    },
    {
      verb: "file.delete",
      request: `DELETE ${FILE}`,
      effects: ["delete"],
      summary: "Delete the file {path.file} for good, with all in it",
    },
    {
      verb: "file.export",
      request: [`GET ${FILE}/export`, `POST ${FILE}/download`],
      effects: ["read-private"],
      summary: "Export the file {path.file}",
    },
    {
      verb: "file.generate-ids",
      request: "GET /files/generateIds",
      effects: ["read"],
      summary: "Get ids for new files",
    },
    {
      verb: "file.read",
      request: [
        "GET /files",
        `GET ${FILE}`,
        `GET ${FILE}/{part:revisions|labels|listLabels}`,
        `GET ${FILE}/{part:revisions}/{revision}`,
      ],
      effects: ["read-private"],
      summary: "Read files",
    },
    {
      verb: "file.watch",
      request: [`POST ${FILE}/watch`, "POST /changes/watch", "POST /channels/stop"],
      effects: ["administer", "send"],
      summary: "Tell {body.address} of every change",
      recipients: ["body.address"],
    },
    {
      // In a folder it has the folder's readers; a form of its own (multipart/related) is not read.
      verb: "file.create-shared",
      request: "POST /files",
      effects: ["publish"],
      summary: "Make the file {body.name} in {body.parents.*}, which others may see",
      body: ["none", "json", "raw"],
      lookup: { folder: "/files/{body.parents.*}?fields=id,name,shared&supportsAllDrives=true" },
      cases: [
        {
          when: { "body.@": { present: true }, "param.parents": { absent: true } },
          verb: "file.create",
          effects: ["write"],
          summary: "Make the file {body.name}, which nobody else sees",
        },
        {
          when: { "body.parents.*": { present: true }, "folder.shared": { only: [false] } },
          verb: "file.create",
          effects: ["write"],
          summary: "Make the file {body.name} in {folder.name}, which nobody else sees",
        },
        {
          when: {
            "query.uploadType": { only: ["media"] },
            "header.content-type": { only_like: "^(?!(?i:multipart))" },
            "body.@": { absent: true },
          },
          verb: "file.create",
          effects: ["write"],
          summary: "Upload a file, which nobody else sees",
        },
      ],
    },
    {
      verb: "file.update-shared",
      request: `PATCH ${FILE}`,
      effects: ["publish"],
      summary: "Change {current.name}, which others may see",
      body: ["none", "json", "raw"],
      lookup: LOOKUP,
      cases: [
        {
          when: { "query.addParents": { present: true } },
          verb: "file.move",
          summary: "Move the file {path.file} to {query.addParents}, which others may see",
        },
        {
          when: { "body.trashed": { any: [true] } },
          verb: "file.trash",
          effects: ["delete"],
          summary: "Move {current.name} to the trash",
          reversible: true,
        },
        {
          when: PRIVATE,
          verb: "file.update",
          effects: ["write"],
          summary: "Change {current.name}, which nobody else sees",
        },
      ],
    },
    {
      verb: "file.copy-shared",
      request: `POST ${FILE}/copy`,
      effects: ["publish"],
      summary: "Copy {current.name} to where others may see it",
      lookup: LOOKUP,
      cases: [
        {
          when: { ...PRIVATE, "param.parents": { absent: true } },
          verb: "file.copy",
          effects: ["write"],
          summary: "Copy {current.name}, which nobody else sees",
        },
      ],
    },
    {
      verb: "permission.read",
      request: [`GET ${FILE}/permissions`, `GET ${FILE}/permissions/{permission}`],
      effects: ["read-private"],
      summary: "Read who may see {path.file}",
    },
    {
      verb: "permission.publish",
      request: `POST ${FILE}/permissions`,
      effects: ["administer", "publish", "send"],
      summary: "Let {body.type} {body.emailAddress} {body.domain} be {body.role} of {current.name}",
      lookup: LOOKUP,
      recipients: ["body.emailAddress", "body.domain"],
      cases: [
        {
          when: { "param.transferOwnership": { present: true } },
          verb: "permission.transfer",
          summary: "Give {current.name} to {body.emailAddress}, who owns it then",
        },
        {
          when: { "body.type": { only: ["user", "group"] } },
          verb: "permission.share",
          effects: ["administer", "send"],
        },
      ],
    },
    {
      verb: "permission.update",
      request: `PATCH ${FILE}/permissions/{permission}`,
      // It may be the permission of everyone, or make another the owner.
      effects: ["administer", "publish", "send"],
      summary: "Let {path.permission} be {body.role} of {path.file}",
    },
    {
      verb: "permission.delete",
      request: `DELETE ${FILE}/permissions/{permission}`,
      effects: ["administer"],
      summary: "Take from {path.permission} the right to see {path.file}",
    },
    {
      // Whoever sees the file is told.
      verb: "comment.write",
      request: [
        `POST ${FILE}/comments`,
        `PATCH ${FILE}/comments/{comment}`,
        `POST ${FILE}/comments/{comment}/replies`,
        `PATCH ${FILE}/comments/{comment}/replies/{reply}`,
      ],
      effects: ["send"],
      summary: "Comment on {path.file}: {body.content}",
      show: "message",
    },
    {
      verb: "comment.delete",
      request: [
        `DELETE ${FILE}/comments/{comment}`,
        `DELETE ${FILE}/comments/{comment}/replies/{reply}`,
      ],
      effects: ["delete"],
      summary: "Delete a comment on {path.file}",
    },
    {
      verb: "comment.read",
      request: [
        `GET ${FILE}/comments`,
        `GET ${FILE}/comments/{comment}`,
        `GET ${FILE}/comments/{comment}/replies`,
        `GET ${FILE}/comments/{comment}/replies/{reply}`,
      ],
      effects: ["read-private"],
      summary: "Read comments on {path.file}",
    },
    {
      verb: "revision.publish",
      request: `PATCH ${FILE}/revisions/{revision}`,
      effects: ["publish"],
      summary: "Change a revision of {path.file}: published {body.published}",
      cases: [
        {
          when: { "body.@": { only: ["keepForever"] } },
          verb: "revision.keep",
          effects: ["write"],
          summary: "Keep a revision of {path.file}",
        },
      ],
    },
    {
      verb: "revision.delete",
      request: `DELETE ${FILE}/revisions/{revision}`,
      effects: ["delete"],
      summary: "Delete a revision of {path.file} for good",
    },
    {
      verb: "drive.administer",
      request: [
        "POST /drives",
        "PATCH|DELETE /drives/{drive}",
        "POST /drives/{drive}/{act:hide|unhide}",
      ],
      effects: ["administer", "delete"],
      summary: "Change the shared drive {path.drive}",
    },
    {
      verb: "account.read",
      request: [
        "GET /about",
        "GET /drives",
        "GET /drives/{drive}",
        "GET /changes",
        "GET /changes/startPageToken",
        "GET /apps",
      ],
      effects: ["read-private"],
      summary: "Read about the account, its drives and changes",
    },
    {
      verb: "batch",
      request: "POST /batch/drive/v3",
      root: true,
      effects: ["publish", "send", "delete", "administer"],
      summary: "Do several things at once, which are not told apart",
      body: ["raw"],
    },
  ],
};
