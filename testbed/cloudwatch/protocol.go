package cloudwatch

import (
	"errors"
	"io"
	"net/http"
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
	out, err := s.serve(operation, r)
	if err != nil {
		writeError(w, err)
		return
	}
	write(w, http.StatusOK, encodeResponse(out))
}

func (s *Server) serve(operation string, r *http.Request) (response, error) {
	if operation != "GetMetricData" {
		return response{}, &apiError{"UnknownOperationException", "this endpoint answers GetMetricData, not " + operation, 404}
	}
	f := s.nextFault()
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=") {
		return response{}, &apiError{"MissingAuthenticationToken", "Request is missing Authentication Token", 403}
	}
	if f.Code != "" {
		return response{}, faultError(f.Code)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return response{}, &apiError{"SerializationException", err.Error(), 400}
	}
	req, err := decodeRequest(body)
	if err != nil {
		return response{}, err
	}
	return s.answer(req, f, time.Now())
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
	write(w, e.status, cbor.Map{
		"__type":  cbor.String("com.amazonaws.cloudwatch#" + e.code),
		"message": cbor.String(e.message),
	})
}

func write(w http.ResponseWriter, status int, v cbor.Value) {
	w.Header().Set("Content-Type", "application/cbor")
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.WriteHeader(status)
	// An error here is a client that hung up: nobody is left to tell.
	_, _ = w.Write(cbor.Encode(v))
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
