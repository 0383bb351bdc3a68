/**
 * What the broker takes of the protocol, by its plain names.
 *
 * @module
 */
import { mcp } from "../../../protocols/index.ts";

export const {
  LISTS,
  REQUESTS,
  SERVER_NOTICES,
  SERVER_REQUESTS,
  contentOf,
  digestOfItem,
  digestOfPin,
  digestOfText,
  envelopeOf,
  eraOf,
  isDigest,
  isMembers,
  listKindOf,
  makePin,
  nameOf,
  pinOf,
  pinnedDigest,
  readMessage,
  readOptions,
  screenList,
} = mcp;

export type Bad = mcp.Bad;
export type Id = mcp.Id;
export type ListKind = mcp.ListKind;
export type Members = mcp.Members;
export type Message = mcp.Message;
export type Options = mcp.Options;
