package import StoragesS3
package import StoredFiles

/// The place of the sheets' files: a folder, or a bucket of an S3 server.
///
/// Both ends of the crash tests make it of one text.
package enum SheetPlace: Sendable {
    /// The program that a bucket is on.
    package enum Server: String, Sendable {
        case openStackSwift, seaweedFS
    }

    case folder(String)
    case bucket(String, on: Server, endpoint: String, accessKeyID: String, secretAccessKey: String)

    /// Takes what ``argument`` gives.
    package init?(_ argument: String) {
        let parts = argument.split(separator: " ").map(String.init)
        guard parts.first == "s3" else {
            self = .folder(argument)
            return
        }
        guard parts.count == 6, let server = Server(rawValue: parts[2]) else { return nil }
        self = .bucket(parts[1], on: server, endpoint: parts[3], accessKeyID: parts[4], secretAccessKey: parts[5])
    }

    package var argument: String {
        switch self {
        case .folder(let path): path
        case .bucket(let name, let server, let endpoint, let id, let secret):
            "s3 \(name) \(server.rawValue) \(endpoint) \(id) \(secret)"
        }
    }

    /// Files of more than 5 MiB are uploaded in parts to a bucket, so every tenth is that large there.
    package func byteCount(_ random: UInt64) -> Int {
        guard case .bucket = self, random % 10 == 0 else { return Int(random % 300_000) }
        return 5_500_000 + Int(random % 100_000)
    }

    package func makeStorage() throws -> any Storage {
        switch self {
        case .folder(let path): return try FileSystemStorage(root: path, durability: .none)
        case .bucket: return try makeS3Storage()
        }
    }

    package func makeS3Storage() throws -> S3Storage {
        guard case .bucket(let name, let server, let endpoint, let id, let secret) = self else {
            throw NotABucket()
        }
        var options = S3Options()
        switch server {
        case .openStackSwift:
            // Said rather than found out, which would leave something behind when the process dies over it. It looks
            // at conditions before it takes the bytes, and not again, so it counts as a server without.
            options.server = .generic
            options.server.conditionalWrites = false
        case .seaweedFS: options.server = .seaweedFS
        }
        options.transfers.multipartThreshold = 5 << 20
        options.transfers.partSize = 5 << 20
        return try S3Storage(
            bucketName: name,
            endpointURL: endpoint,
            accessKeyID: id,
            secretAccessKey: secret,
            useSSL: false,
            options: options
        )
    }
}

/// A bucket was wanted and a folder is there.
package struct NotABucket: Error {}
