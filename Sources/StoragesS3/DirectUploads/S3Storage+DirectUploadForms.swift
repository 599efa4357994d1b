import Foundation
public import Storages
import StoragesHTTP

extension S3Storage {
    /// Makes a form with which a browser uploads a file of a size in a range.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>
    ///
    /// The server refuses files of another size, another key, and whatever else differs from the fields. Afterwards
    /// check the file with ``verifyDirectUpload(_:size:contentTypes:sha256:deletesOnFailure:)``. Amazon S3, MinIO, Ceph
    /// and SeaweedFS accept forms; many other servers do not, Cloudflare R2 among them. Nothing is sent, unless
    /// credentials have to be fetched.
    ///
    /// - Parameters:
    ///   - name: The name of the file. Give every upload a name of its own.
    ///   - size: The fewest and the most bytes that the file may have.
    ///   - successRedirectURL: The URL to which the browser is redirected after the upload. Default: none.
    ///   - successStatus: The status code of success without a redirect: 200, 201 with a document that names the key,
    ///     or 204. Default: 204.
    ///   - options: Type, metadata, lifetime.
    /// - Returns: The URL, at ``S3Options/publicEndpointURL`` if there is one, and the fields.
    /// - Throws: As ``directUpload(to:byteCount:options:)``; ``StorageError/Code/unsupported`` also for
    ///   ``DirectUploadOptions/requiresAbsence`` and for parameters of objects that forms have no fields for.
    public func directUploadForm(
        to name: StorageName,
        size: ClosedRange<Int64>,
        successRedirectURL: String? = nil,
        successStatus: Int? = nil,
        options: DirectUploadOptions = DirectUploadOptions()
    ) async throws -> DirectUploadForm {
        try name.requireSafe(in: label)
        var policy = policy(of: .exact(name.string), size: size, successRedirectURL: successRedirectURL, options)
        policy.successStatus = successStatus
        return try await form(policy, name, options, at: client.clock.now)
    }

    /// Makes a form with which a browser uploads one file after the other, under names that it chooses below a prefix.
    ///
    /// The key is the prefix and the name that the file has on the user's machine, as it is: two files of one name
    /// replace each other, and the name may be anything. So give every user, or every form, a prefix of its own, and
    /// make names of the library's by copying what has arrived.
    ///
    /// - Parameters:
    ///   - prefix: The prefix of all keys, such as `incoming/42/`.
    ///   - size: The fewest and the most bytes that a file may have.
    ///   - contentTypePrefix: The prefix of the declared type, such as `image/`; the page adds a field `Content-Type`
    ///     before the file. Default: the type of the options, for all files.
    ///   - successStatus: The status code of success: 200, 201 with a document that names the key, or 204. Default:
    ///     201.
    ///   - options: Type, metadata, lifetime.
    /// - Returns: The URL and the fields; `${filename}` in the key is replaced by the server.
    /// - Throws: As ``directUploadForm(to:size:successRedirectURL:successStatus:options:)``.
    public func directUploadForm(
        under prefix: String,
        size: ClosedRange<Int64>,
        contentTypePrefix: String? = nil,
        successStatus: Int = 201,
        options: DirectUploadOptions = DirectUploadOptions()
    ) async throws -> DirectUploadForm {
        let example = StorageName(unchecked: prefix + "file")
        try example.requireSafe(in: label)
        var policy = policy(of: .prefix(prefix), size: size, options)
        policy.successStatus = successStatus
        policy.contentType = contentTypePrefix.map { .prefix($0) }
        return try await form(policy, example, options, at: client.clock.now)
    }

    // MARK: At a moment

    func directUploadForm(
        to name: StorageName,
        size: ClosedRange<Int64>,
        successRedirectURL: String? = nil,
        options: DirectUploadOptions,
        at date: Date
    ) async throws -> DirectUploadForm {
        try name.requireSafe(in: label)
        let policy = policy(of: .exact(name.string), size: size, successRedirectURL: successRedirectURL, options)
        return try await form(policy, name, options, at: date)
    }

    private func policy(
        of key: PostPolicy.Key,
        size: ClosedRange<Int64>,
        successRedirectURL: String? = nil,
        _ options: DirectUploadOptions
    ) -> PostPolicy {
        var policy = PostPolicy(bucket: bucketName, key: key, lifetime: options.lifetime ?? self.options.urlLifetime)
        policy.contentLength = Int(size.lowerBound)...Int(size.upperBound)
        if let successRedirectURL { policy.fields.append("success_action_redirect", successRedirectURL) }
        return policy
    }

    private func form(
        _ asked: PostPolicy,
        _ name: StorageName,
        _ options: DirectUploadOptions,
        at date: Date
    ) async throws -> DirectUploadForm {
        try await reporting(name) {
            guard !options.requiresAbsence else {
                throw StorageError(
                    .unsupported,
                    "A form cannot depend on the absence of the file. Leave requiresAbsence out, and give every "
                        + "upload a name of its own."
                )
            }
            var policy = asked
            var fields = HTTPHeaders()
            for field in try directHeaders(name, options).fields {
                switch field.name.lowercased() {
                case "x-amz-acl": policy.acl = field.value
                case "content-type":
                    if policy.contentType == nil { policy.contentType = .exact(field.value) }
                case let name where Self.isNoField(name):
                    throw StorageError(
                        .unsupported,
                        "A form has no field for \(field.name), which the storage's objectParameters ask for. Use a "
                            + "URL for PUT, or upload through the storage."
                    )
                case let name where name.hasPrefix("x-amz-meta-"): policy.metadata.append(field.name, field.value)
                default: fields.append(field.name, field.value)
                }
            }
            fields.append(contentsOf: asked.fields)
            policy.fields = fields
            let credentials = try await client.currentCredentials()
            let addressing = try urls.addressing(client)
            let form = try SigV4Signer(region: addressing.region.name).form(for: policy, with: credentials, at: date)
            if form.isCutShort { warnOfShortSignature(until: form.expiration) }
            return DirectUploadForm(url: addressing.origin + addressing.bucketPath, form)
        }
    }

    /// Returns whether a form expresses a header of PutObject in another way, or not at all.
    private static func isNoField(_ name: String) -> Bool {
        name.hasPrefix("x-amz-grant-")
            || ["x-amz-tagging", "x-amz-request-payer", "x-amz-expected-bucket-owner"].contains(name)
    }
}
