import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoragesHTTP

/// Addresses, signs and sends requests to one bucket, and sends them again when that may help.
///
/// Every attempt is addressed and signed anew: with the credentials, the clock and the region of that moment.
final class S3Client: Sendable {
    struct Settings: Sendable {
        var retries = S3Retries()
        var payloadSigning = S3PayloadSigning.auto
        /// The headers that are added to every request.
        var headers = HTTPHeaders()
        var stallTimeout: Duration = .seconds(30)
        var waitLimit: Duration = .seconds(300)
    }

    /// Bodies up to this size are signed even over TLS, which costs little and is the better check.
    private static let smallBody = 256 * 1024
    /// The size from which a body waits for `100 Continue`, where the server sends it.
    private static let bodyWorthAsking = 1 << 20

    let profile: EndpointProfile
    let settings: Settings
    let clock: ClockOffset
    private let transport: any HTTPTransport
    private let credentials: CredentialCache<S3Credentials>?
    private let addressed: NIOLockedValueBox<Addressing>
    private let tokens = RetryTokens()
    private let logger: Logger

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - addressing: The address of the bucket.
    ///   - profile: The properties of the server.
    ///   - credentials: `nil` for requests without a signature.
    ///   - transport: The transport that sends requests.
    ///   - settings: The settings of requests.
    ///   - logger: The logger of retries.
    init(
        _ addressing: Addressing,
        profile: EndpointProfile,
        credentials: CredentialCache<S3Credentials>?,
        transport: any HTTPTransport,
        settings: Settings,
        clock: ClockOffset = ClockOffset(),
        logger: Logger
    ) {
        addressed = NIOLockedValueBox(addressing)
        self.profile = profile
        self.credentials = credentials
        self.transport = transport
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    /// The address of the bucket; changes when the service says that it is in another region.
    var addressing: Addressing { addressed.withLockedValue { $0 } }
    var isSecure: Bool { addressing.scheme == .https }
    var isAnonymous: Bool { credentials == nil }
    /// The number of tokens that are left for retries.
    var retryTokens: Int { tokens.count }

    /// Returns credentials for something that is signed and not sent here.
    func currentCredentials() async throws -> S3Credentials {
        guard let credentials else {
            throw StorageError(
                .unsupported,
                "A storage with anonymous access cannot sign anything. Give it credentials."
            )
        }
        return try await credentials.credentials()
    }

    // MARK: Requests

    /// Performs an operation whose response is a document, or empty.
    ///
    /// - Parameters:
    ///   - operation: The operation.
    ///   - read: Makes a result of a successful response; an ``UnusableDocument`` that it throws is a failure of the
    ///     attempt.
    /// - Throws: ``S3Failure``; ``StorageError`` when a request cannot be made; `CancellationError`.
    func perform<Result: Sendable>(
        _ operation: S3Operation,
        _ read: (BufferedResponse) throws -> Result
    ) async throws -> Result {
        try await attempts(of: operation) { request in
            let response = try await transport.send(request)
            guard (200..<300).contains(response.status) else { throw try await self.failure(operation, response) }
            let buffered = try await response.collected(upTo: operation.responseLimit)
            do {
                return try read(buffered)
            } catch let problem as UnusableDocument {
                var failure = S3Failure(
                    operation,
                    bucket: self.addressing.bucket,
                    .document(status: buffered.status, headers: buffered.headers, problem)
                )
                failure.mayHaveSucceededBefore = response.wasReplayed
                throw failure
            }
        }
    }

    /// Begins an operation whose response is the bytes of an object.
    ///
    /// Failures after the head of the response has arrived are handled by the caller.
    func open(_ operation: S3Operation) async throws -> HTTPResponse {
        try await attempts(of: operation) { request in
            let response = try await transport.send(request)
            guard (200..<300).contains(response.status) else { throw try await self.failure(operation, response) }
            guard response.status == 200 || response.status == 206, !ResponseOrigin.isForeignSuccess(response.headers)
            else {
                let problem = UnusableDocument.unreadable(
                    "The response is not an object of S3. What stands between this machine and the server?"
                )
                throw S3Failure(
                    operation,
                    bucket: self.addressing.bucket,
                    .document(status: response.status, headers: response.headers, problem)
                )
            }
            return response
        }
    }

    private func failure(_ operation: S3Operation, _ response: HTTPResponse) async throws -> S3Failure {
        // Error documents are short; a longer body is a page of something in between, and the status counts.
        let buffered = try await response.beginning(upTo: S3ErrorDocument.maxBytes)
        let isForeign = ResponseOrigin.isForeign(buffered.headers, buffered.body, to: operation.method)
        var failure = S3Failure(
            operation,
            bucket: addressing.bucket,
            isForeign
                ? .foreign(status: buffered.status, headers: buffered.headers)
                : .response(status: buffered.status, headers: buffered.headers, S3ErrorDocument(buffered.body))
        )
        failure.mayHaveSucceededBefore = response.wasReplayed
        return failure
    }

    // MARK: Attempts

    /// The state of an operation between its attempts.
    private struct Progress {
        /// The state with which the last attempt was made; other requests may have changed it since.
        var credentials: S3Credentials?
        var clockOffset: TimeInterval = 0
        var addressing: Addressing
        var mayHaveSucceeded = false
        // Each reason is corrected once.
        var hasCorrectedClock = false
        var hasMoved = false
        var hasRefreshed = false

        /// Completes a failure with what earlier attempts may have done.
        mutating func note(_ failure: S3Failure, after attempts: Int) -> S3Failure {
            var failure = failure
            failure.attempts = attempts
            if failure.mayHaveSucceededBefore { mayHaveSucceeded = true }
            failure.mayHaveSucceededBefore = mayHaveSucceeded
            if failure.isAmbiguous { mayHaveSucceeded = true }
            return failure
        }
    }

    private func attempts<Result: Sendable>(
        of operation: S3Operation,
        _ send: (HTTPRequest) async throws -> Result
    ) async throws -> Result {
        var progress = Progress(addressing: addressing)
        var policy = settings.retries.policy
        if let budget = operation.budget { policy.budget = budget }
        let signer = try RequestSigner(operation, self)
        return try await policy.run(
            isIdempotent: operation.isIdempotent,
            tokens: settings.retries.limitsAllRequests ? tokens : nil,
            pause: { attempt, delay in
                logger.debug(
                    "Trying a request to S3 again",
                    metadata: ["operation": "\(operation.name)", "attempt": "\(attempt)", "delay": "\(delay)"]
                )
                try await Task.sleep(for: delay)
            },
            judge: { error, attempts in
                guard let failure = error as? S3Failure else { return .fail }
                return try await verdict(on: failure, operation, &progress)
            }
        ) { attempts in
            progress.credentials = try await credentials?.credentials()
            let (date, offset) = clock.reading
            progress.clockOffset = offset
            progress.addressing = addressing
            var request = try signer.request(signedWith: progress.credentials, at: date, progress.addressing)
            request.usesFreshConnection = attempts.usesFreshConnection
            if attempts.expectsNothing { request.expectsContinue = false }
            do {
                return try await send(request)
            } catch let failure as S3Failure {
                throw progress.note(failure, after: attempts.sent)
            } catch let error as HTTPFailure {
                if error.hasRefusedExpectation { attempts.expectsNothing = true }
                var failure = S3Failure(operation, bucket: addressing.bucket, .transport(error))
                failure.mayHaveSucceededBefore = error.wasReplayed
                throw progress.note(failure, after: attempts.sent)
            }
        }
    }

    /// Decides about a failure, and corrects its reason where that is the clock, the region or the credentials.
    private func verdict(
        on failure: S3Failure,
        _ operation: S3Operation,
        _ progress: inout Progress
    ) async throws -> RetryVerdict {
        if !progress.hasCorrectedClock, clock.learn(from: failure, used: progress.clockOffset) {
            progress.hasCorrectedClock = true
            logger.warning(
                "The clock of this machine differs from that of S3; requests are dated by the latter from now on."
            )
            return .retryAtOnce
        }
        if !progress.hasMoved, try await moves(after: failure, of: progress.addressing) {
            progress.hasMoved = true
            return .retryAtOnce
        }
        switch RetryVerdict(failure) {
        case .refreshCredentials:
            guard !progress.hasRefreshed, let credentials, let set = progress.credentials else { return .fail }
            progress.hasRefreshed = true
            return try await credentials.refresh(replacing: set) == set ? .fail : .retryAtOnce
        case .stopExpecting where !expectsContinue(operation):
            return .fail
        case let verdict:
            return verdict
        }
    }

    // MARK: Regions

    /// Returns whether the service says that the bucket is in another region, to which requests then go.
    private func moves(after failure: S3Failure, of addressing: Addressing) async throws -> Bool {
        guard case .response(let status, let headers, let document) = failure.cause else { return false }
        let redirect = try RegionRedirect(status: status, headers: headers, error: document, addressing: addressing)
        switch redirect {
        case .none:
            return false
        case .move(let region):
            try move(to: region, from: addressing)
            return true
        case .askBucket:
            guard let region = try await regionOfBucket(addressing), region != addressing.region else { return false }
            try move(to: region, from: addressing)
            return true
        }
    }

    private func move(to region: Region, from old: Addressing) throws {
        let new = try old.moved(to: region)
        let isNews = addressed.withLockedValue { current in
            // Another request may have found out first.
            guard current == old else { return false }
            current = new
            return true
        }
        guard isNews else { return }
        logger.warning(
            "The bucket is in another region than configured; requests go there from now on.",
            metadata: ["bucket": "\(old.bucket)", "configured": "\(old.region)", "region": "\(region)"]
        )
    }

    /// Requests the region of the bucket, which the response names whatever its status.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
    private func regionOfBucket(_ addressing: Addressing) async throws -> Region? {
        let operation = S3Operation("HeadBucket", .head)
        let set = try await credentials?.credentials()
        let request = try RequestSigner(operation, self).request(signedWith: set, at: clock.now, addressing)
        do {
            let response = try await transport.send(request)
            return response.headers["x-amz-bucket-region"].flatMap { Region($0) }
        } catch is HTTPFailure {
            // The first response stands, and says more than this failure.
            return nil
        }
    }

    // MARK: Signing

    /// Returns whether the body of an operation is signed.
    fileprivate func isBodySigned(_ operation: S3Operation) -> Bool {
        guard isSecure, !operation.signsBody else { return true }
        switch settings.payloadSigning {
        case .always: return true
        case .never: return false
        case .auto: return operation.body.byteCount <= Self.smallBody
        }
    }

    fileprivate func expectsContinue(_ operation: S3Operation) -> Bool {
        profile.expectsContinue && operation.body.byteCount >= Self.bodyWorthAsking
    }
}

/// Makes the signed request of each attempt of an operation.
private struct RequestSigner {
    private let operation: S3Operation
    private let client: S3Client
    private let headers: HTTPHeaders
    private let payload: PayloadHash

    init(_ operation: S3Operation, _ client: S3Client) throws {
        self.operation = operation
        self.client = client
        var headers = try HeaderValidation.check(operation.headers).headers
        for field in client.settings.headers.fields where headers[field.name] == nil {
            headers.append(field.name, field.value)
        }
        self.headers = headers
        if operation.body.byteCount == 0 {
            payload = .empty
        } else if client.isBodySigned(operation) {
            // Once for all attempts.
            payload = .sha256(try operation.body.sha256())
        } else {
            payload = .unsigned
        }
    }

    func request(
        signedWith credentials: S3Credentials?,
        at date: Date,
        _ addressing: Addressing
    ) throws -> HTTPRequest {
        let path = operation.key.map { addressing.path(forKey: $0) } ?? addressing.bucketPath
        var fields = headers
        fields.append("Host", addressing.host)
        if let credentials {
            let signed = try SigV4Signer(region: addressing.region.name).headers(
                signing: SignableRequest(
                    method: operation.method.rawValue,
                    path: path,
                    query: operation.query,
                    headers: fields,
                    payload: payload
                ),
                with: credentials,
                at: date
            )
            fields.append(contentsOf: signed)
        }
        let query = operation.query.isEmpty ? "" : "?" + CanonicalQuery(operation.query).text
        var request = HTTPRequest(method: operation.method, url: addressing.origin + path + query, headers: fields)
        request.body = operation.body
        request.timeout = operation.timeout
        request.stallTimeout = operation.stallTimeout ?? client.settings.stallTimeout
        request.waitLimit = client.settings.waitLimit
        request.expectsContinue = client.expectsContinue(operation)
        return request
    }
}

extension HTTPBody {
    /// Returns the SHA-256 in hexadecimal.
    fileprivate func sha256() throws -> String {
        if let knownSHA256 { return knownSHA256.hexadecimal }
        let hasher = try SHA256Hasher()
        for chunk in chunks { hasher.update(chunk) }
        return try hasher.finish().hexadecimal
    }
}
