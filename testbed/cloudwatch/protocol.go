package cloudwatch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

const (
	operationPath = "/service/GraniteServiceVersion20100801/operation/"
	maxBody       = 1 << 20 // a request of 500 queries has about 100 kB
)

// ServeHTTP answers one RPC.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation, ok := strings.CutPrefix(r.URL.Path, operationPath)
	if !ok || r.Method != http.MethodPost || r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		http.Error(w, "this is a CloudWatch endpoint: POST "+operationPath+"GetMetricData with Smithy-Protocol: rpc-v2-cbor", http.StatusNotFound)
		return
	}
	if operation != "GetMetricData" {
		writeError(w, &apiError{"UnknownOperationException", "this endpoint answers GetMetricData, not " + operation, 404})
		return
	}
	f := s.nextFault()
	now := time.Now().Add(f.Clock)
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	out, err := s.serve(r, f, now)
	switch {
	case f.Hang:
		<-r.Context().Done()
	case err != nil:
		writeError(w, err)
	case f.Cut > 0:
		body := cbor.Encode(encodeResponse(out))
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		write(w, http.StatusOK, body[:min(f.Cut, len(body))])
	default:
		write(w, http.StatusOK, cbor.Encode(encodeResponse(out)))
	}
}

// serve reads the whole request, or else nobody would notice a client that hangs
// up, and answers it.
func (s *Server) serve(r *http.Request, f Fault, now time.Time) (response, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return response{}, &apiError{"SerializationException", err.Error(), 400}
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=") {
		return response{}, &apiError{"MissingAuthenticationToken", "Request is missing Authentication Token", 403}
	}
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || signed.Sub(now).Abs() > maxSkew {
		return response{}, &apiError{signatureExpired, "Signature expired: " + r.Header.Get("X-Amz-Date"), 403}
	}
	if f.Code != "" {
		return response{}, faultError(f.Code)
	}
	req, err := decodeRequest(body)
	if err != nil {
		return response{}, err
	}
	if f.NextToken != "" || f.Endless {
		req.nextToken = "" // ours, which means nothing
	}
	out, err := s.answer(req, f, now)
	if f.NextToken != "" {
		out.nextToken = f.NextToken
	}
	if f.Endless {
		out.nextToken = fmt.Sprintf("endless-%d", s.Stats().Requests)
	}
	return out, err
}

func faultError(code string) *apiError {
	switch code {
	case AccessDenied:
		return &apiError{code, "User: arn:aws:iam::000000000000:user/testbed is not authorized to perform: cloudwatch:GetMetricData", 403}
	case ExpiredToken, InvalidToken:
		return &apiError{code, "The security token included in the request is invalid or expired", 403}
	case InternalFault:
		return &apiError{code, "injected fault", 500}
	case Throttled:
		return &apiError{code, "Rate exceeded", 400}
	}
	return &apiError{code, "injected fault", 400}
}

func writeError(w http.ResponseWriter, err error) {
	e, ok := errors.AsType[*apiError](err)
	if !ok {
		e = &apiError{InternalFault, err.Error(), 500}
	}
	fault := "Sender"
	if e.status >= 500 {
		fault = "Receiver"
	}
	w.Header().Set("X-Amzn-Query-Error", e.code+";"+fault)
	write(w, e.status, cbor.Encode(cbor.Map{
		"__type":  cbor.String("com.amazonaws.cloudwatch#" + e.code),
		"message": cbor.String(e.message),
	}))
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/cbor")
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.WriteHeader(status)
	// An error here is a client that hung up: nobody is left to tell.
	_, _ = w.Write(body)
}

func encodeResponse(r response) cbor.Value {
	results := cbor.List{}
	for _, res := range r.results {
		times, values := cbor.List{}, cbor.List{}
		for _, p := range res.points {
			times = append(times, &cbor.Tag{ID: 1, Value: cbor.Uint(uint64(p.at.Unix()))})
			values = append(values, cbor.Float64(p.value))
		}
		results = append(results, cbor.Map{
			"Id":         cbor.String(res.id),
			"Label":      cbor.String(res.label),
			"StatusCode": cbor.String(res.status),
			"Timestamps": times,
			"Values":     values,
		})
	}
	m := cbor.Map{"MetricDataResults": results, "Messages": cbor.List{}}
	if r.nextToken != "" {
		m["NextToken"] = cbor.String(r.nextToken)
	}
	return m
}
