import CLibCurl

/// The details of a failed transfer that its handle has.
struct CurlOutcome {
    let isUnsent: Bool
    let isReused: Bool
    let hasResponse: Bool
    let wasReplayed: Bool
    /// The status code of the proxy's response to CONNECT; 0 without one.
    let proxyStatus: Int

    /// Reads the details of a handle.
    ///
    /// - Parameters:
    ///   - handle: The handle.
    ///   - responseBytes: The number of bytes of a response's head that came.
    ///   - sendings: The number of times that sending the request was begun.
    init(_ handle: UnsafeMutableRawPointer, responseBytes: Int, sendings: Int) {
        var connects = 0
        _ = stored_files_curl_get_long(handle, CURLINFO_NUM_CONNECTS, &connects)
        var proxyStatus = 0
        _ = stored_files_curl_get_long(handle, CURLINFO_HTTP_CONNECTCODE, &proxyStatus)
        self.proxyStatus = proxyStatus
        isUnsent = sendings == 0
        isReused = connects == 0
        hasResponse = responseBytes > 0
        wasReplayed = sendings > 1
    }

    /// Returns the failure for a result code.
    ///
    /// The texts of libcurl name hosts and ports, never paths or headers.
    func failure(_ code: CURLcode, _ text: String) -> HTTPFailure {
        var failure = HTTPFailure(kind(of: code), "\(text) (libcurl \(code.rawValue))", curlCode: Int(code.rawValue))
        failure.isUnsent = isUnsent
        failure.wasReplayed = wasReplayed
        failure.isDeadReusedConnection =
            isReused && !hasResponse && !isRefusedByProxy
            && [CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_SEND_FAIL_REWIND].contains(code)
        return failure
    }

    /// A Boolean value that indicates whether the proxy has responded, and made no tunnel to the server.
    private var isRefusedByProxy: Bool { isUnsent && proxyStatus != 0 && !(200..<300).contains(proxyStatus) }

    private func kind(of code: CURLcode) -> HTTPFailure.Kind {
        // A server that the proxy could not reach now may be reachable later.
        if isRefusedByProxy { return (400..<500).contains(proxyStatus) ? .proxyRefused : .notConnected }
        return switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
            CURLE_OUT_OF_MEMORY:
            .notConnected
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CIPHER,
            CURLE_SSL_ISSUER_ERROR:
            .untrusted
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_PARTIAL_FILE: .truncated
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: .malformedResponse
        case CURLE_UNSUPPORTED_PROTOCOL: hasResponse || !isUnsent ? .malformedResponse : .invalidRequest
        case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_READ_ERROR, CURLE_WRITE_ERROR,
            CURLE_ABORTED_BY_CALLBACK:
            .invalidRequest
        default:
            // Truncated chunked bodies come as CURLE_RECV_ERROR, so what was begun counts.
            hasResponse ? .truncated : .connectionLost
        }
    }
}
