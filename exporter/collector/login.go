package collector

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// errClearToken refuses to show a token to everybody on the way.
var errClearToken = errors.New("--mysqld.iam-auth sends a token that others could use: give --mysqld.tls-ca, for RDS its CA bundle")

// newConnector prepares the driver and connects to nothing yet. Certificates
// and passwords are asked for at each attempt to log in, so that those that
// were replaced on disk are used without a restart.
func newConnector(d Database) (driver.Connector, error) {
	if d.Token && d.TLS == nil {
		return nil, errClearToken
	}
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User = d.Network, d.Address, d.User
	config.InterpolateParams = true    // one round trip instead of three
	config.Logger = &mysql.NopLogger{} // what it prints is also returned as an error
	config.ConnectionAttributes = "program_name:token-persistence-exporter"
	config.AllowCleartextPasswords = d.Token
	err := config.Apply(mysql.BeforeConnect(func(ctx context.Context, c *mysql.Config) (err error) {
		if d.TLS != nil {
			if c.TLS, err = d.TLS(); err != nil {
				return &Failure{Connection, err}
			}
		}
		password, err := d.password(ctx)
		c.Passwd = password.Reveal()
		return err
	}))
	if err != nil {
		return nil, fmt.Errorf("configure the database connection: %w", err)
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("configure the database connection: %w", err)
	}
	return connector, nil
}

// password returns what an attempt to log in made now would use.
func (d Database) password(ctx context.Context) (Secret, error) {
	if d.Login == nil {
		return d.Password, nil
	}
	password, err := d.Login(ctx)
	if err != nil {
		if _, known := errors.AsType[*Failure](err); !known {
			err = &Failure{Auth, err}
		}
		return "", err
	}
	return password, nil
}

// secureTransport is what MySQL says to a login without TLS where
// require_secure_transport is on; MariaDB calls it a wrong password.
const secureTransport = 3159

// connectFailure gives the error of an attempt to connect its class and a hint
// where a flag of ours can help.
func (d Database) connectFailure(err error) error {
	class, hint := Connection, ""
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, misnamed := errors.AsType[x509.HostnameError](err)
	switch {
	case misnamed:
		hint = "--mysqld.tls-server-name has to be a name in the server's certificate"
	case untrusted:
		hint = "--mysqld.tls-ca has to hold the CA of the server's certificate"
	case errors.Is(err, mysql.ErrNoTLS):
		hint = "--mysqld.tls-ca needs a server that has TLS switched on"
	case isServerError(err, secureTransport):
		hint = "the server takes TLS only: give --mysqld.tls-ca"
	case errors.Is(err, mysql.ErrCleartextPassword):
		class, hint = Auth, "the account's plugin wants the password as it is, which only --mysqld.iam-auth allows"
	case d.Token && isServerError(err, 1045):
		class, hint = Auth, "for --mysqld.iam-auth the account has to use AWSAuthenticationPlugin, the AWS identity needs the action rds-db:connect, "+
			"the region has to be the database's and this host's clock has to be right"
	default:
		err = fmt.Errorf("connect to the database: %w", err)
		if ClassOf(err) == Other { // what answers does not speak the protocol
			err = &Failure{Connection, err}
		}
		return err
	}
	return &Failure{class, fmt.Errorf("connect to the database: %w; %s", err, hint)}
}
