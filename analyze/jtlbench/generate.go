package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

const header = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n"

// resultFile makes the result file that the options describe, unless an earlier
// run left it, and returns its size in bytes.
func resultFile(ctx context.Context, o options, stderr io.Writer) (path string, size int64, err error) {
	path = filepath.Join(o.dir, fmt.Sprintf("jtl-%d-%d.csv", o.rows, o.seed))
	if info, err := os.Stat(path); err == nil {
		return path, info.Size(), nil
	}
	fmt.Fprintf(stderr, "writing %s\n", path)
	file, err := os.CreateTemp(o.dir, ".jtl-*")
	if err != nil {
		return "", 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err := writeRows(ctx, file, o); err != nil {
		return "", 0, errors.Join(err, file.Close())
	}
	info, err := file.Stat()
	if err := errors.Join(err, file.Close()); err != nil {
		return "", 0, err
	}
	return path, info.Size(), os.Rename(file.Name(), path)
}

// writeRows writes results as JMeter does: in the order in which they ended,
// more or less, three samplers, 2 % errors. Every error has a message with
// quotes and commas, one in ten of them a newline.
func writeRows(ctx context.Context, w io.Writer, o options) error {
	rng := rand.New(rand.NewPCG(o.seed, 4))
	out := bufio.NewWriterSize(w, 1<<20)
	if _, err := out.WriteString(header); err != nil {
		return err
	}
	labels := []string{"GetToken_Client_Credentials_Grant", "GetToken_Password_Grant", "GetToken_Refresh_Token_Grant"}
	var row []byte
	for i := range o.rows {
		if i%65536 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		elapsed := 60 + int(rng.ExpFloat64()*70)
		ended := 1_782_900_000_000 + int64(i)*1000/1070 + rng.Int64N(20)
		label := rng.IntN(len(labels))
		row = strconv.AppendInt(row[:0], ended-int64(elapsed), 10)
		row = append(row, ',')
		row = strconv.AppendInt(row, int64(elapsed), 10)
		row = append(row, ',')
		row = append(row, labels[label]...)
		if rng.IntN(50) == 0 {
			row = fmt.Appendf(row, ",500,\"Internal Server Error, try again\",Thread Group 1-%d,text,false,\"Expected \"\"access_token\"\", got {\"\"error\"\":\"\"server_error\"\"}", rng.IntN(100))
			if rng.IntN(10) == 0 {
				row = append(row, "\n  at the token endpoint"...)
			}
			row = append(row, '"')
		} else {
			row = append(row, ",200,OK,Thread Group 1-"...)
			row = strconv.AppendInt(row, rng.Int64N(100), 10)
			row = append(row, ",text,true,"...)
		}
		row = append(row, ",1436,"...)
		row = strconv.AppendInt(row, 400+rng.Int64N(20), 10)
		row = append(row, ",100,100,https://apim.example.com:9443/oauth2/token,"...)
		row = strconv.AppendInt(row, int64(elapsed-1), 10)
		row = append(row, ",0,0\n"...)
		if _, err := out.Write(row); err != nil {
			return err
		}
	}
	return out.Flush()
}

// warm reads the file once, so that no program pays for the disk.
func warm(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, file)
	return errors.Join(err, file.Close())
}
