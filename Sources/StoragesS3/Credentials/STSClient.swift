import Foundation
import NIOCore
import Storages
import StoragesHTTP

/// Requests credentials from STS.
struct STSClient: Sendable, SecretHolding {
    let context: CredentialContext
    let endpoint: ServiceURL
    let region: Region

    /// Sends a form, again when the service has trouble.
    ///
    /// - Parameters:
    ///   - fields: The form; it goes into the body, never into the URL, which others log.
    ///   - credentials: The credentials that sign the request. Default: it is not signed.
    ///   - secret: A value in the form that must not be in a message, should the service quote it. Default: none.
    /// - Throws: ``StorageError`` with code `permissionDenied` when STS refuses, `invalidConfiguration` when it does
    ///   not accept the role or the region, `unavailable` when it is down; `CancellationError`.
    func send(
        _ fields: [(String, String)],
        signedBy credentials: S3Credentials? = nil,
        hiding secret: String? = nil
    ) async throws -> S3Credentials {
        // The encoding of forms, but with `%20` for a space, which all readers take.
        let form =
            fields
            .map { "\(PercentEncoding.encode(component: $0.0))=\(PercentEncoding.encode(component: $0.1))" }
            .joined(separator: "&")
        let attempts = CredentialAttempts(pause: context.pause)
        return try await attempts.run {
            var response = try await context.transport.response(to: request(form, credentials), from: "STS")
            defer { response.body.wipe() }
            return try result(of: response, hiding: secret)
        }
    }

    private func request(_ form: String, _ credentials: S3Credentials?) throws -> HTTPRequest {
        var headers: HTTPHeaders = [
            "Host": endpoint.authority,
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        ]
        if let credentials {
            let signable = SignableRequest(
                method: "POST",
                path: endpoint.target,
                query: [],
                headers: headers,
                payload: .sha256(try SHA256Hasher.hash(form).hexadecimal)
            )
            for field in try context.sign(signable, credentials, region.name, "sts", context.now()).fields {
                headers.append(field.name, field.value)
            }
        }
        var request = HTTPRequest(method: .post, url: endpoint.string, headers: headers, body: HTTPBody(form))
        request.timeout = .seconds(10)
        request.stallTimeout = .seconds(5)
        return request
    }

    private func result(of response: BufferedResponse, hiding secret: String?) throws -> S3Credentials {
        let parsed: STSResponse
        do {
            parsed = try STSResponse(response.body)
        } catch {
            // When the response is not from STS, but from something on the way, the status explains most.
            try response.requireSuccess(from: "STS")
            // The error of a reader may quote the document, in which there is a secret.
            throw error as? StorageError ?? STSClient.unreadable
        }
        switch parsed {
        case .failure(let code, let message):
            throw self.error(code, message: message, in: response, hiding: secret)
        case .credentials(let set):
            try response.requireSuccess(from: "STS")
            return set
        }
    }

    private static var unreadable: StorageError {
        StorageError(.unavailable, "The response of STS is not the XML of an STS; check its URL.")
    }

    private func error(
        _ code: String,
        message: String,
        in response: BufferedResponse,
        hiding secret: String?
    ) -> any Error {
        var detail = StorageError.quoted(code)
        let isQuoting = secret.map { message.contains($0) } ?? false
        if !message.isEmpty, !isQuoting { detail += ": \(StorageError.quoted(message))" }
        let text = "STS gave no credentials, status \(response.status), \(detail)"
        let transient = ["IDPCommunicationError", "Throttling", "ThrottlingException"]
        let isTransient = response.isTransientFailure || transient.contains(code)
        if isTransient { return TransientFailure(error: StorageError(.unavailable, "\(text); try again later.")) }
        switch code {
        case "ValidationError", "MalformedPolicyDocument", "RegionDisabledException", "InvalidParameterValue",
            "MissingParameter", "InvalidAction":
            return StorageError(.invalidConfiguration, "\(text); correct the settings of the role.")
        default:
            return StorageError(
                .permissionDenied,
                "\(text); check the role's trust policy and the credentials it is asked for with."
            )
        }
    }
}
