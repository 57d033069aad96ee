package keymanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Grant types the key manager answers.
const (
	ClientCredentials = "client_credentials"
	Password          = "password"
	RefreshToken      = "refresh_token"
)

// request is an authenticated token request for a new token.
type request struct {
	app      application
	grant    string
	user     string // AUTHZ_USER
	userType string
	subject  string // SUBJECT_IDENTIFIER and the claim sub
	scope    string // sorted, separated by single blanks
}

// seconds is the validity of the access token that r asks for.
func (r request) seconds() int64 {
	if r.userType == userTypeApplication {
		return r.app.appSeconds
	}
	return r.app.userSeconds
}

// response is the body of a successful token request.
type response struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
}

// mode is token persistence on or off: what a request does after the client and
// the user are known.
type mode interface {
	issue(ctx context.Context, r request) (response, error)
	refresh(ctx context.Context, app application, token string) (response, error)
	revoke(ctx context.Context, app application, token string) error
	introspect(ctx context.Context, app application, token string) (active bool, err error)
}

// oauthError is an error the client is told about, in the words of RFC 6749.
type oauthError struct {
	status            int
	code, description string
}

func (e *oauthError) Error() string { return e.code + ": " + e.description }

func badRequest(code, description string) error {
	return &oauthError{http.StatusBadRequest, code, description}
}

type handler struct {
	store *store
	mode  mode
}

func newHandler(s *store, sign *signer, persistence bool) http.Handler {
	h := &handler{store: s, mode: &off{store: s, signer: sign}}
	if persistence {
		h.mode = &on{store: s, signer: sign, locks: newLocks()}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth2/token", h.answer(h.token))
	mux.HandleFunc("POST /oauth2/revoke", h.answer(h.revoke))
	mux.HandleFunc("POST /oauth2/introspect", h.answer(h.introspect))
	mux.HandleFunc("GET /oauth2/jwks", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, sign.jwks()) })
	return mux
}

// answer authenticates the client and turns what serve returns into a reply.
func (h *handler) answer(serve func(*http.Request, application) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// API Manager completes a request whose client has gone; a half-done
		// sequence of statements would also falsify the counts.
		r = r.WithContext(context.WithoutCancel(r.Context()))
		app, err := h.client(r)
		if err != nil {
			w.Header().Set("WWW-Authenticate", `Basic realm="carbon.super"`)
			fail(w, err)
			return
		}
		body, err := serve(r, app)
		if err != nil {
			fail(w, err)
			return
		}
		reply(w, http.StatusOK, body)
	}
}

// client authenticates the application by HTTP Basic or, as WSO2's own test plans
// do, by client_id and client_secret in the form.
func (h *handler) client(r *http.Request) (application, error) {
	key, secret, given := r.BasicAuth()
	if r.Header.Get("Authorization") == "" {
		key, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
		given = key != ""
	}
	app, known := h.store.applications[key]
	if !given || !known || app.secret != secret {
		return application{}, &oauthError{http.StatusUnauthorized, "invalid_client", "Client Authentication failed."}
	}
	return app, nil
}

// token serves one of the grants.
func (h *handler) token(r *http.Request, app application) (any, error) {
	grant := r.PostFormValue("grant_type")
	if !slices.Contains(app.grants, grant) {
		return nil, badRequest("unauthorized_client", "The client is not authorized to use the grant type "+strconv.Quote(grant)+".")
	}
	scopes := strings.Fields(r.PostFormValue("scope"))
	slices.Sort(scopes)
	if len(scopes) == 0 {
		scopes = []string{"default"}
	}
	asked := request{app: app, grant: grant, scope: strings.Join(slices.Compact(scopes), " ")}
	switch grant {
	case ClientCredentials:
		asked.user, asked.subject, asked.userType = app.owner, app.key, userTypeApplication
	case Password:
		id, err := h.store.authenticate(r.Context(), r.PostFormValue("username"), r.PostFormValue("password"))
		if err != nil {
			return nil, err
		}
		asked.user, asked.subject, asked.userType = r.PostFormValue("username"), id, userTypeUser
	case RefreshToken:
		return h.mode.refresh(r.Context(), app, r.PostFormValue("refresh_token"))
	default:
		return nil, badRequest("unsupported_grant_type", "Unsupported grant type.")
	}
	return h.mode.issue(r.Context(), asked)
}

func (h *handler) revoke(r *http.Request, app application) (any, error) {
	return struct{}{}, h.mode.revoke(r.Context(), app, r.PostFormValue("token"))
}

func (h *handler) introspect(r *http.Request, app application) (any, error) {
	active, err := h.mode.introspect(r.Context(), app, r.PostFormValue("token"))
	return map[string]bool{"active": active}, err
}

// fail answers with the client's fault, or with a server error without details.
func fail(w http.ResponseWriter, err error) {
	if e, ok := errors.AsType[*oauthError](err); ok {
		reply(w, e.status, map[string]string{"error": e.code, "error_description": e.description})
		return
	}
	// Only an authenticated client of a private rig gets this far, and its
	// result file is the place where the cause of a failure is looked for.
	reply(w, http.StatusInternalServerError, map[string]string{"error": "server_error", "error_description": err.Error()})
}

// reply writes body as JSON in one piece.
func reply(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, fmt.Appendf(nil, `{"error":"server_error","error_description":%q}`, err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that has gone cannot be told
}
