import CLibCurl
import Platform

/// The certificates that the system trusts.
enum SystemCertificates {
    /// The path of their file: the value of `SSL_CERT_FILE`, else the file that libcurl was built with.
    static let file: String? = {
        if let path = getenv("SSL_CERT_FILE").map({ String(cString: $0) }), !path.isEmpty { return path }
        return stored_files_curl_certificate_file().map { String(cString: $0) }
    }()
}
