import CLibCurl
import NIOConcurrencyHelpers
import NIOCore
import Platform

/// One request and its response, between a task and the loop's thread.
//
// @unchecked: what is not behind `shared` is either constant or touched by the loop's thread alone.
final class CurlTransfer: @unchecked Sendable {
    /// The number of bytes above which the server is made to wait.
    private static let highWater = 1 << 20
    /// The number of bytes below which it may go on.
    private static let lowWater = 256 * 1024

    /// The head of a response.
    struct Head {
        var status: Int
        var headers: HTTPHeaders
        /// A Boolean value that indicates whether libcurl has sent the request more than once.
        var wasReplayed: Bool
    }

    private struct Shared {
        var head: Head?
        var pending = ReceivedBytes()
        var isPaused = false
        /// The time since which the server has been made to wait and nothing was read; `nil` when it does not wait.
        var pausedSince: ContinuousClock.Instant?
        var end: Result<Void, any Error>?
        var headWaiter: CheckedContinuation<Head, any Error>?
        var readWaiter: CheckedContinuation<ByteBuffer?, any Error>?
        var isCancelled = false
    }

    let request: HTTPRequest
    let deadline: ContinuousClock.Instant?
    private let settings: CurlSettings
    private let loop: CurlLoop
    private let permit: AsyncSemaphore.Permit
    private let shared = NIOLockedValueBox(Shared())

    // MARK: The loop's thread alone

    private(set) var handle: UnsafeMutableRawPointer?
    private(set) var hasUndelivered = false
    private var fields: UnsafeMutablePointer<curl_slist>?
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var parser = ResponseHeadParser()
    private var body: RequestBodyReader
    private var refusal: HTTPFailure?
    /// The number of times that sending was begun: libcurl sends the request again by itself when a connection that had
    /// been used before turns out to be dead.
    private var sendings = 0
    /// A Boolean value that indicates whether the response refuses `Expect: 100-continue`: libcurl then sends the
    /// request again by itself, unless all of it was sent already.
    private var isHeld = false
    /// A Boolean value that indicates whether a response has refused `Expect: 100-continue`.
    private(set) var hasRefusedExpectation = false

    init(_ request: HTTPRequest, with settings: CurlSettings, on loop: CurlLoop, permit: AsyncSemaphore.Permit) {
        self.request = request
        self.settings = settings
        self.loop = loop
        self.permit = permit
        body = RequestBodyReader(request.body)
        deadline = request.timeout.map { ContinuousClock.now + $0 }
        errorText.initialize(to: 0)
    }

    deinit {
        errorText.deallocate()
    }

    // MARK: A task

    /// Starts, and waits for the head of the response.
    func start() async throws -> Head {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = shared.withLockedValue { shared in
                    if !shared.isCancelled { shared.headWaiter = continuation }
                    return shared.isCancelled
                }
                if isCancelled {
                    permit.release()
                    continuation.resume(throwing: CancellationError())
                } else {
                    loop.post(.start(self))
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// Waits for more of the response's body; `nil` at its end.
    func read() async throws -> ByteBuffer? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (outcome, resumes) = shared.withLockedValue { shared in
                    Self.takeOrWait(&shared, continuation)
                }
                if resumes { loop.post(.resume(self)) }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            cancel()
        }
    }

    private static func takeOrWait(
        _ shared: inout Shared,
        _ continuation: CheckedContinuation<ByteBuffer?, any Error>
    ) -> (Result<ByteBuffer?, any Error>?, resumes: Bool) {
        if let chunk = shared.pending.take() {
            let resumes = shared.isPaused && shared.pending.byteCount < lowWater
            if resumes { shared.isPaused = false }
            // A task that reads now is no reader that has fallen asleep.
            if shared.pausedSince != nil { shared.pausedSince = resumes ? nil : .now }
            return (.success(chunk), resumes)
        }
        switch shared.end {
        case .success: return (.success(nil), false)
        case .failure(let error): return (.failure(error), false)
        case nil:
            shared.readWaiter = continuation
            return (nil, false)
        }
    }

    /// A Boolean value that indicates whether the transfer was cancelled, perhaps before it began.
    var isCancelled: Bool { shared.withLockedValue { $0.isCancelled } }

    /// The time since which the server waits because nobody reads; `nil` when it does not wait.
    var unreadSince: ContinuousClock.Instant? { shared.withLockedValue { $0.pausedSince } }
    /// A Boolean value that indicates whether nothing more will come.
    var hasEnded: Bool { shared.withLockedValue { $0.end != nil || $0.isCancelled } }

    /// Takes the connection from a transfer that nobody reads; what has arrived can still be read, and then nothing
    /// more.
    func setAside() {
        loop.post(.setAside(self))
    }

    /// Cancels the transfer; a task that waits gets `CancellationError`.
    func cancel() {
        let isNew = shared.withLockedValue { shared in
            defer { shared.isCancelled = true }
            return !shared.isCancelled && shared.end == nil
        }
        if isNew { loop.post(.cancel(self)) }
    }

    // MARK: The loop's thread

    /// Returns the transfer of a handle that libcurl is done with.
    static func of(_ handle: UnsafeMutableRawPointer) -> CurlTransfer? {
        var pointer: UnsafeMutableRawPointer?
        guard stored_files_curl_get_pointer(handle, CURLINFO_PRIVATE, &pointer) == CURLE_OK, let pointer else {
            return nil
        }
        return Unmanaged<CurlTransfer>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// Sets a handle up for this request.
    ///
    /// The transfer is retained until ``release()``.
    func prepare(_ handle: UnsafeMutableRawPointer, share: UnsafeMutableRawPointer) -> Bool {
        self.handle = handle
        var options = CurlOptions(handle)
        let context = Unmanaged.passRetained(self).toOpaque()
        options.set(CURLOPT_PRIVATE, pointer: context)
        options.set(CURLOPT_SHARE, pointer: share)
        options.set(CURLOPT_ERRORBUFFER, pointer: errorText)
        setRequest(&options, context)
        setConnection(&options)
        return options.failure == nil
    }

    private func setRequest(_ options: inout CurlOptions, _ context: UnsafeMutableRawPointer) {
        options.set(CURLOPT_URL, request.url)
        options.set(CURLOPT_PATH_AS_IS, true)
        options.set(CURLOPT_PROTOCOLS_STR, request.url.hasPrefix("https:") ? "https" : "http")
        options.set(CURLOPT_DISALLOW_USERNAME_IN_URL, true)
        options.set(CURLOPT_FOLLOWLOCATION, false)
        options.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        options.set(CURLOPT_NOSIGNAL, true)
        options.set(CURLOPT_WRITEDATA, pointer: context)
        options.set(CURLOPT_HEADERDATA, pointer: context)
        options.set(CURLOPT_READDATA, pointer: context)
        options.set(CURLOPT_SEEKDATA, pointer: context)
        options.set(CURLOPT_PREREQDATA, pointer: context)
        options.setRequest(callback: CurlTransfer.requestCallback)
        options.set(CURLOPT_WRITEFUNCTION, callback: CurlTransfer.writeCallback)
        options.set(CURLOPT_HEADERFUNCTION, callback: CurlTransfer.headerCallback)
        switch request.method {
        case .get: options.set(CURLOPT_HTTPGET, true)
        case .head: options.set(CURLOPT_NOBODY, true)
        case .delete: options.set(CURLOPT_CUSTOMREQUEST, "DELETE")
        case .put:
            options.set(CURLOPT_UPLOAD, true)
            options.set(CURLOPT_INFILESIZE_LARGE, bytes: Int64(request.body.byteCount))
        case .post:
            options.set(CURLOPT_POST, true)
            options.set(CURLOPT_POSTFIELDSIZE_LARGE, bytes: Int64(request.body.byteCount))
            // Without it an empty body would be read from the callback, in chunks.
            if request.body.byteCount == 0 { options.set(CURLOPT_COPYPOSTFIELDS, "") }
        }
        options.set(CURLOPT_READFUNCTION, callback: CurlTransfer.readCallback)
        options.setSeek(callback: CurlTransfer.seekCallback)
        for field in request.headers.fields {
            // A header without a value is spelled with a semicolon, or libcurl would leave it out.
            appendField(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        if request.headers["Accept"] == nil { appendField("Accept:") }
        // libcurl would call a posted body a form, in a header that is not signed.
        if request.headers["Content-Type"] == nil { appendField("Content-Type:") }
        if request.expectsContinue {
            options.set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1000)
        } else {
            // Before 8.0 libcurl would hold back even ten bytes for a second.
            appendField("Expect:")
        }
        options.set(CURLOPT_HTTPHEADER, list: fields)
    }

    private func appendField(_ line: String) {
        fields = curl_slist_append(fields, line)
    }

    private func setConnection(_ options: inout CurlOptions) {
        options.set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.milliseconds)
        options.set(CURLOPT_LOW_SPEED_LIMIT, 1024)
        options.set(CURLOPT_LOW_SPEED_TIME, max(1, request.stallTimeout.milliseconds / 1000))
        options.set(CURLOPT_MAXAGE_CONN, max(1, settings.idleConnectionAge.milliseconds / 1000))
        options.set(CURLOPT_FRESH_CONNECT, request.usesFreshConnection)
        options.set(CURLOPT_TCP_KEEPALIVE, true)
        options.set(CURLOPT_TCP_KEEPIDLE, 30)
        options.set(CURLOPT_TCP_KEEPINTVL, 15)
        options.set(CURLOPT_BUFFERSIZE, 256 * 1024)
        options.set(CURLOPT_UPLOAD_BUFFERSIZE, 512 * 1024)
        options.set(CURLOPT_DNS_SHUFFLE_ADDRESSES, true)
        // An empty text, not none: that would mean the variables of the environment.
        options.set(CURLOPT_PROXY, request.isDirect ? "" : settings.proxy ?? "")
        options.set(CURLOPT_NOPROXY, settings.noProxy ?? "")
        // The proxy's response to CONNECT is not the head of the response.
        options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, true)
        if let file = settings.proxyCertificateAuthorityFile { options.set(CURLOPT_PROXY_CAINFO, file) }
        guard request.url.hasPrefix("https:") else { return }
        options.set(CURLOPT_SSL_VERIFYPEER, settings.verifiesCertificates)
        options.set(CURLOPT_SSL_VERIFYHOST, settings.verifiesCertificates ? 2 : 0)
        options.set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        // libcurl keeps the parsed certificates from one connection to the next only when there is no folder of them.
        options.set(CURLOPT_CAPATH, nil)
        if let file = settings.certificateAuthorityFile ?? SystemCertificates.file { options.set(CURLOPT_CAINFO, file) }
        if let file = settings.clientCertificateFile { options.set(CURLOPT_SSLCERT, file) }
        if let file = settings.clientKeyFile { options.set(CURLOPT_SSLKEY, file) }
    }

    /// Releases the handle, which the caller gets, and this object.
    func release() -> UnsafeMutableRawPointer? {
        guard let handle else { return nil }
        self.handle = nil
        curl_slist_free_all(fields)
        fields = nil
        Unmanaged.passUnretained(self).release()
        return handle
    }

    /// Resumes the transfer, so that the server can go on with sending.
    func resumeReceiving() {
        if let handle { curl_easy_pause(handle, CURLPAUSE_CONT) }
    }

    /// Passes what has arrived to the task that waits.
    func deliver() {
        hasUndelivered = false
        shared.withLockedValue { shared -> (() -> Void)? in
            if let waiter = shared.headWaiter, let head = shared.head {
                shared.headWaiter = nil
                return { waiter.resume(returning: head) }
            }
            if let waiter = shared.readWaiter, let chunk = shared.pending.take() {
                shared.readWaiter = nil
                return { waiter.resume(returning: chunk) }
            }
            return nil
        }?()
    }

    /// Ends the transfer: everything has arrived, or nothing more will.
    ///
    /// - Parameter error: The reason why not everything arrived.
    func finish(_ error: (any Error)?) {
        permit.release()
        deliver()
        shared.withLockedValue { shared -> (() -> Void)? in
            let end: Result<Void, any Error> = error.map { .failure($0) } ?? .success(())
            shared.end = end
            if let waiter = shared.headWaiter {
                shared.headWaiter = nil
                let failure = error ?? HTTPFailure(.malformedResponse, "The response has no head.")
                return { waiter.resume(throwing: failure) }
            }
            if let waiter = shared.readWaiter {
                shared.readWaiter = nil
                return { waiter.resume(with: end.map { nil }) }
            }
            return nil
        }?()
    }

    /// Returns the failure for a result code of libcurl; `nil` when all went well.
    func outcome(of code: CURLcode) -> HTTPFailure? {
        if let refusal { return refusal }
        guard code != CURLE_OK, let handle else { return nil }
        let text = String(cString: errorText)
        var failure = CurlOutcome(handle, responseBytes: parser.byteCount, sendings: sendings)
            .failure(code, text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
        failure.hasRefusedExpectation = hasRefusedExpectation
        return failure
    }

    func timeoutFailure() -> HTTPFailure {
        var failure = HTTPFailure(
            .timedOut,
            "No complete response came within \(request.timeout.map { "\($0)" } ?? "the time allowed")."
        )
        if let handle {
            let outcome = CurlOutcome(handle, responseBytes: parser.byteCount, sendings: sendings)
            failure.isUnsent = outcome.isUnsent
            failure.wasReplayed = outcome.wasReplayed
        }
        failure.hasRefusedExpectation = hasRefusedExpectation
        return failure
    }

    // MARK: Callbacks

    fileprivate func takeHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        switch parser.take(line) {
        case .more:
            return true
        case .complete:
            if isHeld {
                // The second response is the only one.
                isHeld = false
                shared.withLockedValue { $0.pending = ReceivedBytes() }
            }
            if parser.status == 417, request.expectsContinue {
                hasRefusedExpectation = true
                // The response refuses the header, so the request was not sent.
                if sendings == 1 {
                    isHeld = true
                    sendings = 0
                }
            }
            hasUndelivered = !isHeld
            let head = Head(status: parser.status, headers: parser.headers, wasReplayed: sendings > 1)
            shared.withLockedValue { $0.head = head }
            return true
        case .tooLarge:
            refusal = HTTPFailure(
                .responseTooLarge,
                "The head of the response has more than \(ResponseHeadParser.largestHead) bytes."
            )
            return false
        }
    }

    /// Keeps bytes of the response, or asks libcurl to bring the same ones again later.
    fileprivate func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        hasUndelivered = !isHeld
        return shared.withLockedValue { shared in
            guard shared.pending.byteCount < Self.highWater else {
                // Nobody reads it yet.
                if isHeld { return true }
                shared.isPaused = true
                if shared.pausedSince == nil { shared.pausedSince = .now }
                return false
            }
            shared.pending.append(bytes)
            return true
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
        context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private static let requestCallback: stored_files_curl_request_callback = { context, _, _, _, _ in
        guard let transfer = from(context) else { return CURL_PREREQFUNC_ABORT }
        transfer.sendings += 1
        // Every sending begins with the first byte. In some versions libcurl does not rewind what it read and could not
        // send, when the connection was closed just before.
        guard transfer.body.seek(to: 0) else { return CURL_PREREQFUNC_ABORT }
        return CURL_PREREQFUNC_OK
    }

    private static let headerCallback: stored_files_curl_data_callback = { data, size, count, context in
        let length = size * count
        guard let data, let transfer = from(context) else { return 0 }
        return transfer.takeHeader(UnsafeRawBufferPointer(start: data, count: length)) ? length : 0
    }

    private static let writeCallback: stored_files_curl_data_callback = { data, size, count, context in
        let length = size * count
        guard let data, let transfer = from(context) else { return 0 }
        return transfer.takeBody(UnsafeRawBufferPointer(start: data, count: length))
            ? length : Int(CURL_WRITEFUNC_PAUSE)
    }

    private static let readCallback: stored_files_curl_data_callback = { data, size, count, context in
        guard let data, let transfer = from(context) else { return Int(CURL_READFUNC_ABORT) }
        return transfer.body.read(into: UnsafeMutableRawBufferPointer(start: data, count: size * count))
    }

    private static let seekCallback: stored_files_curl_seek_callback = { context, offset, origin in
        guard let transfer = from(context), origin == SEEK_SET, transfer.body.seek(to: Int(offset)) else {
            return CURL_SEEKFUNC_CANTSEEK
        }
        return CURL_SEEKFUNC_OK
    }
}
