/**
 * What drills are seen to fail with.
 *
 * @module
 */

/** A command line that runs what it is given with nothing in its way, trusting the test world, and records nothing. */
export const LEAKY = `#!/bin/sh
[ "$1" = run ] || exit 0
while [ "$1" != -- ]; do shift; done
shift
echo '{"event":"run.start","run":"r-0"}' >&2
CURL_CA_BUNDLE=$PWD/../../../ca.pem
NODE_EXTRA_CA_CERTS=$CURL_CA_BUNDLE
SSL_CERT_FILE=$CURL_CA_BUNDLE
export CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS SSL_CERT_FILE
exec "$@"
`;
