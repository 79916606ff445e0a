// What golang.org/x/mod, which shares no code with this project, says of the same trees, tiles, proofs and notes.
// It reads one command a line and answers each with one line; test/conformance/go.test.ts compares. By hand:
//
//	cd test/conformance/go
//	export GO111MODULE=off GOPATH=/usr/share/gocode
//	echo "log FOLDER VKEY" | go run main.go
//
// FOLDER holds checkpoint and tile/… of one year.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// Hashes of the tree over the entries "entry 0", "entry 1", …, in the order in which Go stores them.
var stored []tlog.Hash

var reader = tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(stored)) {
			return nil, errors.New("not stored")
		}
		hashes[i] = stored[index]
	}
	return hashes, nil
})

func grow(size int64) error {
	for i := int64(0); i < size; i++ {
		hashes, err := tlog.StoredHashes(i, []byte(fmt.Sprintf("entry %d", i)), reader)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	return nil
}

// The tiles that a tree of newSize needs beyond one of oldSize: Go names each width of a partial tile, we the last.
func tiles(oldSize, newSize int64) (string, error) {
	var out []string
	all := tlog.NewTiles(height, oldSize, newSize)
	for i, tile := range all {
		if i+1 < len(all) && all[i+1].L == tile.L && all[i+1].N == tile.N {
			continue
		}
		data, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			return "", err
		}
		out = append(out, fmt.Sprintf("%s=%x", ourPath(tile), sha256.Sum256(data)))
	}
	return strings.Join(out, " "), nil
}

// The tile's height stands in Go's path and not in that of c2sp.org/tlog-tiles.
func ourPath(tile tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
}

func proofText(hashes []tlog.Hash) string {
	texts := make([]string, len(hashes))
	for i, hash := range hashes {
		texts[i] = hash.String()
	}
	return strings.Join(texts, " ")
}

func inclusion(index, size int64) (string, error) {
	proof, err := tlog.ProveRecord(size, index, reader)
	return proofText(proof), err
}

func consistency(oldSize, newSize int64) (string, error) {
	proof, err := tlog.ProveTree(newSize, oldSize, reader)
	return proofText(proof), err
}

// Whether note.Open takes the bytes, their text, and whether each signature is the one spelling of its base64: Go also
// takes others, whose last bits mean nothing.
func open(vkey, base64Note string) (string, error) {
	message, err := base64.StdEncoding.DecodeString(base64Note)
	if err != nil {
		return "", err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return "no", nil
	}
	spelling := "strict"
	signatures := string(message[len(opened.Text)+1:])
	for _, line := range strings.Split(strings.TrimSuffix(signatures, "\n"), "\n") {
		text := line[strings.LastIndex(line, " ")+1:]
		bytes, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || base64.StdEncoding.EncodeToString(bytes) != text {
			spelling = "loose"
		}
	}
	return spelling + " " + base64.StdEncoding.EncodeToString([]byte(opened.Text)), nil
}

// Tiles of a published folder.
type folder string

func (f folder) Height() int                         { return height }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(string(f), ourPath(tile)))
		if err != nil {
			return nil, err
		}
		data[i] = bytes
	}
	return data, nil
}

// Opens the checkpoint of a published folder and holds each entry against the tree, by tiles that Go authenticates.
func checkLog(path, vkey string) (string, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	message, err := os.ReadFile(filepath.Join(path, "checkpoint"))
	if err != nil {
		return "", err
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return "", err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return "", errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return "", err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return "", err
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, folder(path))
	for start := int64(0); start < size; start += 256 {
		width := size - start
		if width > 256 {
			width = 256
		}
		place := tlog.Tile{H: height, L: 0, N: start / 256, W: int(width)}
		name := strings.Replace(ourPath(place), "tile/0/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			return "", err
		}
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, start+int64(i))
		}
		leaves, err := hashes.ReadHashes(indexes)
		if err != nil {
			return "", err
		}
		for i, leaf := range leaves {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return "", fmt.Errorf("%s ends early", name)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			if tlog.RecordHash(bundle[2:2+length]) != leaf {
				return "", fmt.Errorf("entry %d is not the one in the tree", start+int64(i))
			}
			bundle = bundle[2+length:]
		}
		if len(bundle) > 0 {
			return "", fmt.Errorf("%s goes on after its last entry", name)
		}
	}
	return fmt.Sprintf("%d entries, root %s", size, root), nil
}

func answer(words []string) (string, error) {
	texts, numbers := words[1:], make([]int64, len(words)-1)
	for i, word := range texts {
		numbers[i], _ = strconv.ParseInt(word, 10, 64)
	}
	switch fmt.Sprintf("%s %d", words[0], len(texts)) {
	case "grow 1":
		return "grown", grow(numbers[0])
	case "root 1":
		hash, err := tlog.TreeHash(numbers[0], reader)
		return hash.String(), err
	case "tiles 2":
		return tiles(numbers[0], numbers[1])
	case "path 3":
		return ourPath(tlog.Tile{H: height, L: int(numbers[0]), N: numbers[1], W: int(numbers[2])}), nil
	case "inclusion 2":
		return inclusion(numbers[0], numbers[1])
	case "consistency 2":
		return consistency(numbers[0], numbers[1])
	case "open 2":
		return open(texts[0], texts[1])
	case "log 2":
		return checkLog(texts[0], texts[1])
	}
	return "", errors.New("no such command")
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 4<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		text, err := answer(strings.Split(in.Text(), " "))
		if err != nil {
			text = "error: " + err.Error()
		}
		fmt.Fprintln(out, text)
	}
}
