import Foundation
import NIOConcurrencyHelpers
public import Storages
import StoragesHTTP

extension S3Storage {
    /// Makes a URL to which a client uploads a file with `PUT`.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    ///
    /// The client may send as many bytes as it likes, up to the 5 GiB of the server, unless `byteCount` is given; use a
    /// form for files of strangers, ``directUploadForm(to:size:successRedirectURL:successStatus:options:)``. Afterwards
    /// check the file with ``verifyDirectUpload(_:size:contentTypes:sha256:deletesOnFailure:)``.
    ///
    /// Nothing is sent, unless credentials have to be fetched, or an unknown server be asked for
    /// ``DirectUploadOptions/requiresAbsence``.
    ///
    /// - Parameters:
    ///   - name: The name of the file. Give every upload a name of its own.
    ///   - byteCount: The number of bytes that the file has to have. Default: as many as the client sends.
    ///   - options: Type, metadata, lifetime.
    /// - Returns: The URL, at ``S3Options/publicEndpointURL`` if there is one, and the headers to send with it.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidURL`` for a lifetime outside 1 second to 7 days,
    ///   ``StorageError/Code/invalidConfiguration`` for a negative size and values that no header can have,
    ///   ``StorageError/Code/unsupported`` with anonymous access, for objects that the client would need a secret for,
    ///   and for ``DirectUploadOptions/requiresAbsence`` where the server cannot do that; what fetching credentials
    ///   throws.
    public func directUpload(
        to name: StorageName,
        byteCount: Int64? = nil,
        options: DirectUploadOptions = DirectUploadOptions()
    ) async throws -> DirectUpload {
        try await directUpload(to: name, byteCount: byteCount, options: options, at: client.clock.now)
    }

    // MARK: At a moment

    func directUpload(
        to name: StorageName,
        byteCount: Int64? = nil,
        options: DirectUploadOptions,
        at date: Date
    ) async throws -> DirectUpload {
        try name.requireSafe(in: label)
        return try await reporting(name) {
            var headers = try directHeaders(name, options)
            if let byteCount {
                guard byteCount >= 0 else {
                    throw StorageError(.invalidConfiguration, "A file cannot have \(byteCount) bytes. Give 0 or more.")
                }
                headers["Content-Length"] = String(byteCount)
            }
            if options.requiresAbsence {
                let condition = try await absenceCondition()
                headers[condition.name] = condition.value
            }
            let credentials = try await client.currentCredentials()
            let addressing = try urls.addressing(client)
            let signed = try SigV4Signer(region: addressing.region.name).presignedURL(
                PresignedURL.Request(
                    method: .put,
                    origin: addressing.origin,
                    path: addressing.path(forKey: name.string),
                    lifetime: options.lifetime ?? self.options.urlLifetime,
                    headers: headers
                ),
                with: credentials,
                at: date
            )
            if signed.isCutShort { warnOfShortSignature(until: signed.expiration) }
            return DirectUpload(signed)
        }
    }

    // MARK: Headers

    /// Returns the headers that the client has to send, so that the object gets the parameters of every object of the
    /// storage.
    func directHeaders(_ name: StorageName, _ options: DirectUploadOptions) throws -> HTTPHeaders {
        let parameters = creationParameters(name, options.upload)
        func refusal(_ problem: String) -> StorageError {
            StorageError(.unsupported, "\(problem) Upload through the storage, or set other objectParameters.")
        }
        guard parameters.encryption?.customerKey == nil else {
            throw refusal("A client that uploads directly would have to know the customer's key.")
        }
        guard !parameters.requiresChecksum else {
            throw refusal("A locked object takes an upload with a check of its bytes, which are not known yet.")
        }
        let checked = try HeaderValidation.check(
            parameters.creationHeaders(isSecure: client.isSecure, self.options.metadataEncoding)
        )
        guard checked.omitted.isEmpty else {
            throw StorageError(
                .invalidConfiguration,
                "\(checked.omitted.joined(separator: ", ")) would be empty. Give a value, or leave it out."
            )
        }
        return checked.headers
    }

    private func absenceCondition() async throws -> HTTPHeaders.Field {
        guard let condition = try await knownConditions({ $0.put.absence == .unknown }).put.absence.field else {
            throw StorageError(
                .unsupported,
                "This server cannot make an upload depend on the absence of the file. Leave requiresAbsence out, and "
                    + "give every upload a name of its own."
            )
        }
        return condition
    }
}
