/** Captured packets: pcap and pcapng files -> frames -> TCP, UDP and ICMP messages. */
export * from "./capture-reader.ts";
export * from "./decoder.ts";
export { LINK_TYPE } from "./link.ts";
