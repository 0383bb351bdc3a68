// Command tlog-peer checks one of our ledgers with another implementation of transparency logs,
// golang.org/x/mod/sumdb, and with nothing of ours but the files.
//
//	tlog-peer VKEY DIR PROOF EARLIER
//
// It opens the checkpoint in DIR with the verifier key VKEY, checks every entry of the bundles against
// the authenticated tiles, the file PROOF (C2SP tlog-proof) against its own checkpoint, and that the
// log continues the checkpoint in the file EARLIER. Prints one line, or says why not and exits 1.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: tlog-peer VKEY DIR PROOF EARLIER")
		os.Exit(2)
	}
	line, err := check(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(line)
}

func check(vkey, dir, proofFile, earlierFile string) (string, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", fmt.Errorf("verifier key: %w", err)
	}
	tree, err := openFile(filepath.Join(dir, "checkpoint"), verifier)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	hashes := tlog.TileHashReader(tree, tiles{dir})
	if err := checkEntries(dir, tree, hashes); err != nil {
		return "", fmt.Errorf("entries: %w", err)
	}
	index, err := checkProof(proofFile, verifier)
	if err != nil {
		return "", fmt.Errorf("proof: %w", err)
	}
	earlier, err := openFile(earlierFile, verifier)
	if err != nil {
		return "", fmt.Errorf("earlier checkpoint: %w", err)
	}
	between, err := tlog.ProveTree(tree.N, earlier.N, hashes)
	if err != nil {
		return "", fmt.Errorf("consistency: %w", err)
	}
	if err := tlog.CheckTree(between, tree.N, tree.Hash, earlier.N, earlier.Hash); err != nil {
		return "", fmt.Errorf("consistency: %w", err)
	}
	return fmt.Sprintf("size %d, proved %d, continues %d", tree.N, index, earlier.N), nil
}

func openFile(path string, verifier note.Verifier) (tlog.Tree, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	return openCheckpoint(text, verifier)
}

// openCheckpoint checks the signature, and that the origin is the key's name.
func openCheckpoint(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// checkEntries compares each entry of the bundles with the authenticated tiles, and checks the
// inclusion proof of the first of each bundle.
func checkEntries(dir string, tree tlog.Tree, hashes tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += 1 << tileHeight {
		bundle := tlog.Tile{H: tileHeight, L: 0, N: first >> tileHeight, W: 1 << tileHeight}
		if left := tree.N - first; left < int64(bundle.W) {
			bundle.W = int(left)
		}
		data, err := os.ReadFile(filepath.Join(dir, pathOf(bundle, "entries")))
		if err != nil {
			return err
		}
		var found []tlog.Hash
		var places []int64
		for len(data) > 0 {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return fmt.Errorf("entry %d is cut short", first+int64(len(found)))
			}
			length := int(binary.BigEndian.Uint16(data))
			places = append(places, tlog.StoredHashIndex(0, first+int64(len(found))))
			found = append(found, tlog.RecordHash(data[2:2+length]))
			data = data[2+length:]
		}
		if len(found) != bundle.W {
			return fmt.Errorf("%d entries in the bundle from %d", len(found), first)
		}
		recorded, err := hashes.ReadHashes(places)
		if err != nil {
			return err
		}
		for n := range found {
			if found[n] != recorded[n] {
				return fmt.Errorf("entry %d is not the recorded one", first+int64(n))
			}
		}
		proof, err := tlog.ProveRecord(tree.N, first, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, first, found[0]); err != nil {
			return fmt.Errorf("entry %d: %w", first, err)
		}
	}
	return nil
}

func checkProof(path string, verifier note.Verifier) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, fmt.Errorf("not a tlog-proof")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return 0, err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return 0, err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, err
		}
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint([]byte(checkpoint), verifier)
	if err != nil {
		return 0, err
	}
	return index, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

// tiles reads tiles as C2SP tlog-tiles names them.
type tiles struct{ dir string }

// pathOf is the library's path without its height, which C2SP leaves out, and with another level.
func pathOf(tile tlog.Tile, level string) string {
	parts := strings.SplitN(tile.Path(), "/", 4)
	return filepath.Join("tile", level, parts[3])
}

func (t tiles) Height() int { return tileHeight }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(t.dir, pathOf(tile, strconv.Itoa(tile.L))))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
