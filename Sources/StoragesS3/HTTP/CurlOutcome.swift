import CLibCurl

/// What a handle tells of a transfer that failed.
struct CurlOutcome {
    let isUnsent: Bool
    let isReused: Bool
    let hasAnswer: Bool
    let wasReplayed: Bool
    /// The status of the proxy's answer to CONNECT; 0 without one.
    let proxyStatus: Int

    /// Asks a handle.
    ///
    /// - Parameters:
    ///   - handle: The handle.
    ///   - answerBytes: How many bytes of an answer's head came.
    ///   - sendings: How often sending the request was begun.
    init(_ handle: UnsafeMutableRawPointer, answerBytes: Int, sendings: Int) {
        var connects = 0
        _ = stored_files_curl_get_long(handle, CURLINFO_NUM_CONNECTS, &connects)
        var proxyStatus = 0
        _ = stored_files_curl_get_long(handle, CURLINFO_HTTP_CONNECTCODE, &proxyStatus)
        self.proxyStatus = proxyStatus
        isUnsent = sendings == 0
        isReused = connects == 0
        hasAnswer = answerBytes > 0
        wasReplayed = sendings > 1
    }

    /// The failure behind a result code.
    ///
    /// The texts of libcurl name hosts and ports, never paths or fields.
    func failure(_ code: CURLcode, _ text: String) -> HTTPFailure {
        var failure = HTTPFailure(kind(of: code), "\(text) (libcurl \(code.rawValue))", curlCode: Int(code.rawValue))
        failure.isUnsent = isUnsent
        failure.wasReplayed = wasReplayed
        failure.isDeadReusedConnection =
            isReused && !hasAnswer && !isRefusedByProxy
            && [CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_SEND_FAIL_REWIND].contains(code)
        return failure
    }

    /// Whether the proxy has answered, and made no tunnel to the server.
    private var isRefusedByProxy: Bool { isUnsent && proxyStatus != 0 && !(200..<300).contains(proxyStatus) }

    private func kind(of code: CURLcode) -> HTTPFailure.Kind {
        // What it could not reach it may reach later.
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
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: .malformedAnswer
        case CURLE_UNSUPPORTED_PROTOCOL: hasAnswer || !isUnsent ? .malformedAnswer : .invalidRequest
        case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_READ_ERROR, CURLE_WRITE_ERROR,
            CURLE_ABORTED_BY_CALLBACK:
            .invalidRequest
        default:
            // Truncated chunked bodies come as CURLE_RECV_ERROR, so what was begun counts.
            hasAnswer ? .truncated : .connectionLost
        }
    }
}
