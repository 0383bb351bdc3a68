/** SFTP version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions: packets in, messages out, and back. Pure. */
export {
  SFTP_PACKET_BYTES_MAX,
  SftpFrames,
  sftpPacket,
  stringField,
  uint32Field,
} from "./frames.ts";
export {
  OPEN_FLAG,
  readSftpRequest,
  SFTP,
  SFTP_EXTENSIONS,
  sftpRequestPacket,
  type SftpAsk,
  type SftpAttributes,
  type SftpRequest,
} from "./request.ts";
export * from "./response.ts";
