// Command tlog-go checks a log on disk with the Go project's own code: golang.org/x/mod/sumdb/tlog
// and sumdb/note, which are neither ours nor built on ours.
//
//	tlog-go <folder> <vkey> <step>
//
// The folder holds a signed note `checkpoint`, tiles `tile/<level>/<index>[.p/<width>]` and bundles
// `tile/entries/<index>[.p/<width>]` (C2SP tlog-tiles). Checked are the note, the inclusion of
// every step-th entry and of the last, and the consistency of the tree with several older sizes.
// Printed are counts as JSON.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// folder reads tiles for Go's package, which checks each against the signed root before it uses it.
type folder struct {
	path  string
	tiles int
}

func (f *folder) Height() int { return height }

func (f *folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f *folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, 0, len(tiles))
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(f.path, pathOf(tile)))
		if err != nil {
			return nil, err
		}
		f.tiles++
		all = append(all, data)
	}
	return all, nil
}

// pathOf gives the path of C2SP: Go's carries the height of the tiles as well, `tile/8/...`.
func pathOf(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
}

// parse reads the three lines of a checkpoint.
func parse(text, name string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != name || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("no checkpoint of %s", name)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// entries reads the bundle that stands under the leaf tile.
func (f *folder) entries(tile tlog.Tile) ([][]byte, error) {
	path := strings.Replace(pathOf(tile), "tile/0/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(f.path, path))
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for len(data) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(data))
		if end > len(data) {
			break
		}
		all = append(all, data[2:end])
		data = data[end:]
	}
	if len(data) != 0 || len(all) != tile.W {
		return nil, fmt.Errorf("%s does not hold %d entries", path, tile.W)
	}
	return all, nil
}

// included proves and checks every step-th entry and the last one, and gives how many those were.
func (f *folder) included(tree tlog.Tree, step int64, reader tlog.HashReader) (int64, error) {
	var count int64
	for index := int64(0); index < tree.N; {
		tile := tlog.Tile{H: height, L: 0, N: index >> height, W: 1 << height}
		if rest := tree.N - index; rest < int64(tile.W) {
			tile.W = int(rest)
		}
		entries, err := f.entries(tile)
		if err != nil {
			return count, err
		}
		for _, entry := range entries {
			if index%step == 0 || index == tree.N-1 {
				if err := isIncluded(tree, index, entry, reader); err != nil {
					return count, fmt.Errorf("entry %d: %w", index, err)
				}
				count++
			}
			index++
		}
	}
	return count, nil
}

func isIncluded(tree tlog.Tree, index int64, entry []byte, reader tlog.HashReader) error {
	proof, err := tlog.ProveRecord(tree.N, index, reader)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

// consistent proves that the tree begins with older ones, whose roots Go computes itself.
func consistent(tree tlog.Tree, reader tlog.HashReader) (int, error) {
	count := 0
	for _, old := range []int64{1, 2, 3, 255, 256, 257, 1000, tree.N / 2, tree.N - 1, tree.N} {
		if old < 1 || old > tree.N {
			continue
		}
		root, err := tlog.TreeHash(old, reader)
		if err != nil {
			return count, err
		}
		proof, err := tlog.ProveTree(tree.N, old, reader)
		if err != nil {
			return count, err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, root); err != nil {
			return count, fmt.Errorf("size %d: %w", old, err)
		}
		count++
	}
	return count, nil
}

func check(path, vkey string, step int64) (map[string]int64, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	signed, err := os.ReadFile(filepath.Join(path, "checkpoint"))
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return nil, err
	}
	tree, err := parse(opened.Text, verifier.Name())
	if err != nil {
		return nil, err
	}
	files := &folder{path: path}
	reader := tlog.TileHashReader(tree, files)
	included, err := files.included(tree, step, reader)
	if err != nil {
		return nil, err
	}
	sizes, err := consistent(tree, reader)
	if err != nil {
		return nil, err
	}
	return map[string]int64{
		"size":       tree.N,
		"signatures": int64(len(opened.Sigs)),
		"included":   included,
		"consistent": int64(sizes),
		"tilesRead":  int64(files.tiles),
	}, nil
}

func main() {
	var step int64
	if len(os.Args) == 4 {
		step, _ = strconv.ParseInt(os.Args[3], 10, 64)
	}
	if step < 1 {
		fmt.Fprintln(os.Stderr, "usage: tlog-go <folder> <vkey> <step>")
		os.Exit(2)
	}
	counts, err := check(os.Args[1], os.Args[2], step)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tlog-go:", err)
		os.Exit(1)
	}
	text, err := json.Marshal(counts)
	if err != nil {
		panic(err) // Numbers always have a spelling.
	}
	fmt.Println(string(text))
}
