/**
 * What captures of others hold, by the file's name: which detector must find how many flows (of a series of flows:
 * how many series). Whatever stands in no list is held to be benign.
 *
 * The labels are those of the projects (file names, descriptions, nDPI's expected results), looked through by hand
 * where they and our detectors differ; flows that we miss are labelled too.
 *
 * @module
 */

/** How many flows; "each" is every one that has payload. */
export type Label = Readonly<Record<string, number | "each">>;

/** ntop/nDPI, tests/cfgs/default/pcap of October 2024 (3b1286a). */
const NDPI: Readonly<Record<string, Label>> = {
  "443-opvn.pcap": { "vpn.openvpn": 1 },
  "anydesk.pcapng": { "remote.service": 6 },
  "bad-dns-traffic.pcap": { "flow.dns-tunnel": 1 },
  "bitcoin.pcap": { "mining.peer": 6 },
  "cloudflare-warp.pcap": { "tunnel.vpn-service": 3 },
  "custom_categories.pcapng": { "ssh.elsewhere": 1 },
  "dns-exf.pcap": { "flow.dns-spread": 1 },
  "dns-tunnel-iodine.pcap": { "flow.dns-tunnel": 1 },
  "dns2tcp_tunnel.pcap": { "flow.dns-tunnel": 1 }, // Over TLS, with no name.
  "dns_exfiltration.pcap": { "flow.dns-spread": 1 },
  "icmp-tunnel.pcap": { "flow.icmp-tunnel": 1 },
  "log4j-webapp-exploit.pcap": { "shell.reverse": 1 },
  "mining.pcapng": { "mining.ethereum": 1, "mining.monero": 1, "mining.stratum": 2 },
  "monero.pcap": { "mining.peer": 4 },
  "mullvad_wireguard.pcap": { "vpn.wireguard": 1 },
  "openvpn-tlscrypt.pcap": { "vpn.openvpn": 1 },
  "openvpn.pcap": { "vpn.openvpn": 10 },
  "openvpn_nohmac.pcapng": { "vpn.openvpn": 1 },
  "openvpn_nohmac_tcp.pcapng": { "vpn.openvpn": 1 },
  "openvpn_obfuscated.pcapng": { "vpn.openvpn": 3 },
  "opera-vpn.pcapng": { "tunnel.vpn-service": 61 },
  "ossfuzz_seed_fake_traces_2.pcapng": { "vpn.wireguard": 2 },
  "pia.pcap": { "tunnel.vpn-service": 1 },
  "protonvpn.pcap": { "tunnel.vpn-service": 1, "vpn.wireguard": 1 },
  "psiphon3.pcap": { "tunnel.vpn-service": 1 },
  "rdp.pcap": { "remote.desktop": 1 },
  "rdp2.pcap": { "remote.desktop": 3 }, // Over UDP.
  "rdp3.pcap": { "remote.desktop": 1 },
  "rdp_over_tls.pcap": { "remote.desktop": 1 },
  "shadowsocks.pcap": { "proxy.socks": 1 },
  "sites.pcapng": { "tunnel.vpn-service": 2 },
  "socks.pcap": { "proxy.socks": 4 },
  "ssh.pcap": { "ssh.elsewhere": 1 },
  "tailscale.pcap": { "vpn.tailscale-disco": 1 },
  "teamviewer.pcap": { "remote.service": 2 },
  "tls_client_certificate_with_missing_server_one.pcapng": { "remote.service": 1 },
  "tls_heur__shadowsocks-tcp.pcapng": { "proxy.socks": 1 },
  "tls_heur__trojan-tcp-tls.pcapng": { "proxy.socks": 1, "tunnel.tls-in-tls": 1 },
  "tls_heur__vmess-tcp-tls.pcapng": { "proxy.socks": 1, "tunnel.tls-in-tls": 1 },
  "tls_heur__vmess-tcp.pcapng": { "proxy.socks": 1 },
  "tls_heur__vmess-websocket.pcapng": { "proxy.socks": 1 },
  "tor.pcap": { "vpn.tor": 7 },
  "tunnelbear.pcap": { "tunnel.vpn-service": 15, "vpn.wireguard": 1 },
  "vnc.pcap": { "remote.desktop": 2 },
  "windscribe.pcapng": { "tunnel.vpn-service": 1 },
  "wireguard.pcap": { "vpn.wireguard": 2 },
};

/** Of nDPI 4.2, as Debian has its source: older forms of some of the files, and some that went since. */
const NDPI_4_2: Readonly<Record<string, Label>> = {
  ...NDPI,
  "anydesk-2.pcap": { "remote.service": 2 },
  "monero.pcap": { "mining.stratum": 2 },
  "openvpn.pcap": { "vpn.openvpn": 3 },
  "ssh.pcap": {},
  "wireguard.pcap": { "vpn.wireguard": 1 },
  "zcash.pcap": { "mining.monero": 1 },
};

/** zeek/zeek, testing/btest/Traces of August 2026 (a13de64). */
const ZEEK: Readonly<Record<string, Label>> = {
  "modbus/modbus-and-non-modbus-p502.pcap": { "remote.desktop": 1 }, // Somebody looks for RDP there.
  "rdp/rdp-invalid-length.pcap": { "remote.desktop": 1 },
  "rdp/rdp-no-cookie-mstshash.pcap": { "remote.desktop": 1 },
  "rdp/rdp-proprietary-encryption.pcap": { "remote.desktop": 2 },
  "rdp/rdp-to-ssl.pcap": { "remote.desktop": 2 },
  "rdp/rdp-unknown-keyboard.pcap": { "remote.desktop": 1 },
  "rdp/rdp-x509.pcap": { "remote.desktop": 1 },
  "rdp/rdpeudp-handshake-success.pcap": { "remote.desktop": 1 }, // Over UDP.
  "rdp/rdpeudp2-handshake-success.pcap": { "remote.desktop": 1 },
  "rfb/vnc-mac-to-linux.pcap": { "remote.desktop": 3 },
  "rfb/vnc-scanner.pcap": { "remote.desktop": 1 },
  "rfb/vncmac.pcap": { "remote.desktop": 3 },
  "Traces/socks-auth-10080.pcap": { "proxy.socks": 1 },
  "Traces/socks-auth.pcap": { "proxy.socks": 1 },
  "Traces/socks-with-ssl.pcap": { "proxy.socks": 1 },
  "Traces/socks.pcap": { "proxy.socks": 1 },
  "ssh/ssh-on-port-80.pcap": { "ssh.elsewhere": 1 },
  "ssh/ssh.pcap": { "ssh.elsewhere": 2 },
  "ssh/ssh1-ssh2-fingerprints.pcap": { "ssh.elsewhere": 1 },
  "ssh/ssh_kex_mlkem.pcap": { "ssh.elsewhere": 1 },
  "Traces/ssl-and-ssh-using-sslh.pcap": { "ssh.elsewhere": 1 },
  "tunnels/socks.pcap": { "proxy.socks": 1 },
  "websocket/wstunnel-http.pcap": { "tunnel.wstunnel": 1 },
  "websocket/wstunnel-https.pcap": { "tunnel.wstunnel": 1 },
  "websocket/wstunnel-ssh.pcap": { "ssh.inside": 2, "tunnel.wstunnel": 2 },
};

/** OISF/suricata-verify of August 2026 (10a45e4). */
const SURICATA: Readonly<Record<string, Label>> = {
  "app-layer-protocol-unknown-tls-boundary/input.pcap": { "ssh.elsewhere": 1 },
  "dns/bug-1158/input.pcap": { "flow.dns-tunnel": 1 },
  "output-multi-eve/input.pcap": { "shell.reverse": 1 },
  "rdp-protocol/RDP-003.pcap": { "remote.desktop": 1 },
  "rfb-failure/rfb_failure_16.pcap": { "remote.desktop": 1 },
  "rfb-parser/input.pcap": { "remote.desktop": 1 },
  "rfb-partial-tx/in.pcap": { "remote.desktop": 1 },
  "rfb-protocol-3.3/06-vnc-Password-3.3.pcap": { "remote.desktop": 1 },
  "rfb-protocol-3.8/04-vnc-openwall-3.8.pcap": { "remote.desktop": 1 },
  "rfb-rules/00-vnc-openwall-3.7.pcap": { "remote.desktop": 1 },
  "tls-bypass-missing-event/tor_bl.pcap": { "vpn.tor": 2 },
};

/** FoxIO-LLC/ja4, pcap of June 2026 (0e54bc8). */
const JA4: Readonly<Record<string, Label>> = {
  "socks-https-example.pcap": { "proxy.socks": 3 },
  "socks4-https.pcap": { "proxy.socks": 1 },
  "ssh-r.pcap": { "ssh.forward": 1 },
};

const BY_CORPUS: Readonly<Record<string, Readonly<Record<string, Label>>>> = {
  ndpi: NDPI,
  "ndpi-4.2": NDPI_4_2,
  zeek: ZEEK,
  suricata: SURICATA,
  ja4: JA4,
};

/** Reports whether there are labels for the corpus of this name. */
export function isKnown(corpus: string): boolean {
  return corpus === "made" || Object.hasOwn(BY_CORPUS, corpus);
}

/** The label of the file at `path` of `corpus`; empty where it is benign. */
export function labelOf(corpus: string, path: string): Label {
  if (corpus === "made") {
    const [detector = "", what = ""] = (path.split("/").at(-1) ?? "").split("--");
    return detector === "benign" ? {} : { [detector]: what.startsWith("each") ? "each" : 1 };
  }
  const labels = BY_CORPUS[corpus] ?? {};
  const key = Object.keys(labels).find((name) => `/${path}`.endsWith(`/${name}`));
  return key === undefined ? {} : (labels[key] ?? {});
}

/** Recall that each detector is held to on those captures that are here, and most wrong findings; 1 and 0 unless said. */
export const STATED: Readonly<Record<string, number>> = {
  "flow.dns-spread": 0.5,
  "flow.dns-tunnel": 0.7,
  "remote.desktop": 0.9,
  "remote.service": 0.3,
  "ssh.forward": 0.9, // Dropbear's client compresses; Paramiko's session and forward are of one length.
  "tunnel.vpn-service": 0.8,
  "vpn.openvpn": 0.7,
  "vpn.tor": 0.85,
  "vpn.wireguard": 0.85,
};
