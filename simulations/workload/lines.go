package workload

import (
	"bytes"
	"io"
)

// lineCounter passes a source on and remembers where its lines begin, as far as it is
// still going to be asked.
type lineCounter struct {
	source io.Reader
	read   int64
	// line is the number of the line that begins at begin; ends are the offsets of the
	// line breaks after it.
	line  int
	begin int64
	ends  []int64
}

func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.source.Read(p)
	for from := 0; ; {
		i := bytes.IndexByte(p[from:n], '\n')
		if i < 0 {
			break
		}
		l.ends = append(l.ends, l.read+int64(from+i))
		from += i + 1
	}
	l.read += int64(n)
	return n, err
}

// at is the place of an offset. Offsets may not go back.
func (l *lineCounter) at(offset int64) place {
	passed := 0
	for passed < len(l.ends) && l.ends[passed] < offset {
		l.line++
		l.begin = l.ends[passed] + 1
		passed++
	}
	l.ends = append(l.ends[:0], l.ends[passed:]...)
	return place{l.line, int(offset-l.begin) + 1}
}
