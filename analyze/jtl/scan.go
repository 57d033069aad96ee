package jtl

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// scan judges the rows of one stretch of a result file. It is the one place
// that does: the serial reader and the workers of the parallel one share it.
type scan struct {
	name   string
	cols   columns
	plan   plan
	odd    records // reads the rows that are not plain
	fixed  bool    // the columns may not change, because others read with them too
	handle func(Row)
	stretch
}

// stretch is what one stretch showed. Line numbers count from its beginning.
type stretch struct {
	lines     int
	rows, bad uint64
	locals    uint64 // rows whose time has no zone
	worst     []badLine
	date      *badLine // a time that can be read in more than one way, when no sound row stands before it
	local     *badLine // the first of locals
}

func newScan(name string, cols columns) scan {
	s := scan{name: name}
	s.use(cols)
	return s
}

func (s *scan) use(cols columns) {
	if cols.count == 0 {
		cols = unknownColumns()
	}
	s.cols, s.plan, s.odd.cols = cols, planFor(cols), cols
}

// serial reads the rows of in one after the other, to the end of in.
func (s *scan) serial(ctx context.Context, in io.Reader) error {
	rows := newRecords(in)
	rows.cols = s.cols
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return interrupted(ctx, s.name)
		}
		fields, line, last, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err := s.take(fields, line, last, err); err != nil || s.date != nil {
			return err
		}
		rows.cols = s.cols
	}
}

func interrupted(ctx context.Context, name string) error {
	return fmt.Errorf("read %s: %w", name, context.Cause(ctx))
}

// take judges what records.next gave: a row, or the reason why there is none.
func (s *scan) take(fields [][]byte, line int, last bool, err error) error {
	switch {
	case errors.Is(err, errOpenQuote), errors.Is(err, errLongRecord):
		s.rows++
		s.damaged(line, err.Error())
		return nil
	case err != nil:
		return err
	case blank(fields):
		return nil
	}
	if s.cols.count == 0 {
		cols, header, err := firstRow(s.name, line, fields)
		if err != nil {
			return err
		}
		if s.use(cols); header {
			return nil
		}
	}
	row, why := s.cols.row(fields, last)
	switch {
	case why == "":
		s.rows++
		if row.Local {
			if s.locals++; s.local == nil {
				s.local = &badLine{line, fmt.Sprintf("timeStamp %q is a date without a time zone", fields[s.cols.time])}
			}
		}
		s.handle(row)
	case isHeader(fields): // files that were joined repeat it
		return s.header(line, fields)
	default:
		s.rows++
		if s.bad+1 == s.rows && s.date == nil && isDate(fields, s.cols) {
			s.date = &badLine{line, string(fields[s.cols.time])}
		}
		s.damaged(line, why)
	}
	return nil
}

func (s *scan) damaged(line int, why string) {
	s.bad++
	if len(s.worst) < MaxBadLines {
		s.worst = append(s.worst, badLine{line, why})
	}
}

func (s *scan) header(line int, fields [][]byte) error {
	cols, err := headerColumns(s.name, line, fields, s.cols.comma)
	if s.fixed && (err != nil || cols != s.cols) {
		return errSerial
	}
	if err != nil {
		return err
	}
	s.use(cols)
	return nil
}

// follow adds what the next stretch of the file showed.
func (p *stretch) follow(q stretch) {
	if q.date != nil && p.date == nil && p.bad == p.rows {
		p.date = &badLine{p.lines + q.date.line, q.date.why}
	}
	if q.local != nil && p.local == nil {
		p.local = &badLine{p.lines + q.local.line, q.local.why}
	}
	for _, b := range q.worst {
		if len(p.worst) < MaxBadLines {
			p.worst = append(p.worst, badLine{p.lines + b.line, b.why})
		}
	}
	p.lines += q.lines
	p.rows += q.rows
	p.bad += q.bad
	p.locals += q.locals
}
