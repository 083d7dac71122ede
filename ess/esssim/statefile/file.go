package statefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// File is an open state file. It is safe for concurrent use.
type File struct {
	begun time.Time
	past  []account.Change
	torn  int

	mu   sync.Mutex
	file *os.File
	size int64
	// broken is why nothing more can be kept; nil: it can.
	broken error
}

// Open opens a state file, or begins one at the given instant of the account's clock.
// Whoever is killed while writing leaves a torn last line: its change was not done
// yet, and so the line is dropped.
//
// It is an error if the file is of another origin, is not a state file, is damaged
// anywhere but at its end, or is in use by another process.
func Open(path string, origin Origin, now time.Time) (*File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open state file: %w", err)
	}
	f := &File{file: file}
	if err := f.load(origin, now); err != nil {
		return nil, errors.Join(fmt.Errorf("read state file %s: %w", path, err), file.Close())
	}
	return f, nil
}

func (f *File) load(origin Origin, now time.Time) error {
	if err := lock(f.file); err != nil {
		return fmt.Errorf("another simulator uses it: %w", err)
	}
	data, err := io.ReadAll(f.file)
	if err != nil {
		return err
	}
	if !ours(data) {
		return errors.New("it is not a state file")
	}
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	if len(whole) > 0 {
		if err := f.read(whole, origin); err != nil {
			return err
		}
	}
	f.torn = len(data) - len(whole)
	f.size = int64(len(whole))
	if err := f.file.Truncate(f.size); err != nil {
		return fmt.Errorf("drop its torn end: %w", err)
	}
	if len(whole) == 0 {
		return f.begin(origin, now)
	}
	return nil
}

// begin writes the header of an empty file.
func (f *File) begin(origin Origin, now time.Time) error {
	// What is read back has no more than a wall clock shows.
	f.begun = now.Round(0)
	return f.add(header{Kind: kind, Version: version, Begun: f.begun, Origin: origin})
}

func (f *File) read(lines []byte, origin Origin) error {
	first, rest, _ := bytes.Cut(lines, []byte("\n"))
	h, err := readHeader(first)
	if err != nil {
		return err
	}
	if err := h.differs(origin); err != nil {
		return fmt.Errorf("%w; remove it to begin anew", err)
	}
	f.begun = h.Begun
	for n := 2; len(rest) > 0; n++ {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		var c account.Change
		if err := json.Unmarshal(line, &c); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		f.past = append(f.past, c)
	}
	return nil
}

// Begun is when the account began, on its own clock.
func (f *File) Begun() time.Time { return f.begun }

// Past is what was done since, when the file was opened.
func (f *File) Past() []account.Change { return f.past }

// Torn is how many bytes of a change that was not done were dropped.
func (f *File) Torn() int { return f.torn }

// Keep adds a change. When it returns, the change outlives the process.
func (f *File) Keep(c account.Change) error { return f.add(c) }

func (f *File) add(entry any) error {
	line, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("encode change: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return f.broken
	}
	line = append(line, '\n')
	if _, err := f.file.WriteAt(line, f.size); err != nil {
		// A half of it must not stay, or what follows could not be read.
		if undo := f.file.Truncate(f.size); undo != nil {
			f.broken = fmt.Errorf("the state file is broken: %w", errors.Join(err, undo))
			return f.broken
		}
		return fmt.Errorf("write state file: %w", err)
	}
	f.size += int64(len(line))
	return nil
}

// Close gives the file free; nothing can be kept afterwards.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Close()
}
